// SPDX-License-Identifier: Apache-2.0

// Command demo shows the operator at work, without a cluster, account or network: a real etcd and kube-apiserver, stand-ins of the vendors' token
// endpoints whose tokens live about a minute, and the real manager in a process of its own with exactly the rights of config/rbac. It applies
// config/samples and shows how every credential is kept fresh, including those that visitors add (docs/quickstart.md).
//
// In a terminal it shows a live table until Ctrl-C. Otherwise it prints a line per change, and exits with 0 once every sample has been refreshed, or
// with 1 and the reasons if that takes longer than three minutes; with -stay it runs until a signal. It leaves no process and no folder behind.
// no process and no folder behind.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/term"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// patience is the time within which every sample must be refreshed.
const patience = 3 * time.Minute

func main() {
	stay := flag.Bool("stay", false, "run until a signal, even without a terminal")
	flag.Parse()
	log.SetLogger(logr.Discard()) // controller-runtime complains if no logger is set

	interactive := term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
	show := printChanges
	switch {
	case interactive:
		show = showTable
	case *stay:
		show = printOn
	}
	work := func(ctx context.Context, c console) error {
		if interactive {
			restore := endOnKey(ctx, c.end)
			defer restore()
		}
		failed, unclean := run(ctx, c, show)
		switch {
		case ctx.Err() != nil && (interactive || *stay):
			failed = nil // the user ended it with Ctrl-C
		case ctx.Err() != nil:
			failed = fmt.Errorf("stop before every credential was refreshed: %w", context.Cause(ctx))
		}
		return errors.Join(failed, unclean)
	}
	if err := play(os.Stdout, work); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// play runs work until it is done, a signal arrives, or nobody reads the output any more (`make demo | head`).
func play(out io.Writer, work func(context.Context, console) error) error {
	// A failed write to standard output must not kill us before we have cleaned up. The signal itself proves nothing: it is also raised by a write to
	// any connection whose peer is gone.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return framework.UnderGoRun(func(ctx context.Context) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		return work(ctx, console{out, cancel})
	})
}
