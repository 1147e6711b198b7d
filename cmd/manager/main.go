// SPDX-License-Identifier: Apache-2.0

// Command manager runs the operator. It has the operator's only real clock, its only real source of randomness and its only os.Exit.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
)

// version is set by the linker.
var version = "dev"

func main() {
	opts, err := parseFlags(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if opts.version {
		fmt.Println(version)
		return
	}
	// Not Development: that encoder prints whole objects, and a logged Secret is a leaked Secret.
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&opts.log)))
	ctrl.Log.WithName("manager").Info("Starting", "version", version)
	if err := run(ctrl.SetupSignalHandler(), opts); err != nil {
		ctrl.Log.WithName("manager").Error(err, "Failed to run")
		os.Exit(1)
	}
}
