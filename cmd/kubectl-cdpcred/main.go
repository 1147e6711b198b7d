// SPDX-License-Identifier: Apache-2.0

// Command kubectl-cdpcred is the kubectl plugin `kubectl cdpcred`: what an on-call engineer needs to inspect and operate CDPCredentials.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/cdpcredentials/cdp-credential-operator/internal/cli"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], cli.Environment{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now, Getenv: os.Getenv, Version: version,
		Interactive: term.IsTerminal(int(os.Stdin.Fd())),
		ReadSecret:  func() ([]byte, error) { return term.ReadPassword(int(os.Stdin.Fd())) },
	})
	stop()
	os.Exit(code)
}
