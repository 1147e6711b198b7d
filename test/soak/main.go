// SPDX-License-Identifier: Apache-2.0

// Command soak runs many credentials with short-lived tokens, token endpoints that misbehave, an operator that is killed, an API server that is
// stopped, and users who edit, delete and rotate, and reads every target as an application would. It prints a table, writes the same report as JSON,
// and exits with 1 if there was a violation. Everything listens on loopback and is removed afterwards, also after Ctrl-C.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
	"github.com/cdpcredentials/cdp-credential-operator/test/soak/trial"
)

func main() {
	log.SetLogger(logr.Discard()) // controller-runtime complains if no logger is set
	err := framework.UnderGoRun(func(ctx context.Context) error { return soak(ctx, os.Args[1:]) })
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func soak(ctx context.Context, args []string) (err error) {
	o := trial.Options{Progress: os.Stderr}
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.IntVar(&o.Credentials, "credentials", 200, "Number of credentials.")
	flags.DurationVar(&o.Duration, "duration", 15*time.Minute, "How long faults are injected.")
	flags.Uint64Var(&o.Seed, "seed", 0, "Seed of everything that is random; 0 picks one.")
	out := flags.String("json", "", "File for the report as JSON; empty means standard output, after the table.")
	keep := flags.String("keep", "", "Folder for the managers' logs; empty keeps none.")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	if o.Root, err = framework.ModuleRoot(ctx); err != nil {
		return err
	}
	if o.Temp, err = os.MkdirTemp("", "cdp-soak-"); err != nil {
		return fmt.Errorf("create a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Temp)) }()
	report, err := trial.Run(ctx, o)
	if *keep != "" {
		err = errors.Join(err, os.CopyFS(*keep, os.DirFS(filepath.Join(o.Temp, "logs"))))
	}
	if report == nil {
		return err
	}
	fmt.Print(report.Table())
	if err := errors.Join(err, write(*out, report)); err != nil {
		return err
	}
	if n := len(report.Violations); n > 0 {
		return fmt.Errorf("%d violations, seed %d", n, o.Seed)
	}
	return nil
}

func write(path string, report *trial.Report) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	if path == "" {
		_, err = fmt.Println(string(text))
		return err
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
