// SPDX-License-Identifier: Apache-2.0

// Command demo shows the operator at work, with no cluster, no account and no network: a real etcd and kube-apiserver, stand-ins of the
// vendors' token endpoints whose tokens live about a minute, and the real manager as a process of its own with just the rights of
// config/rbac. It applies config/samples and shows how every credential is kept fresh, and those that a visitor adds (docs/quickstart.md).
//
// In a terminal it shows a live table until Ctrl-C. Elsewhere it prints a line for every change, and ends with 0 when every sample has
// been refreshed, or with 1 and the reasons if that takes longer than three minutes; with -stay it goes on until a signal ends it. It leaves
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

// patience is how long every sample may take to be refreshed.
const patience = 3 * time.Minute

func main() {
	stay := flag.Bool("stay", false, "go on until a signal ends it, also where no terminal is")
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
			failed = nil // Ctrl-C is how it ends
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

// play runs work until it is done, a signal ends it, or nobody reads what it prints any more (`make demo | head`).
func play(out io.Writer, work func(context.Context, console) error) error {
	// A failed write to standard output must not kill us, as there is something to clear away. The signal itself says nothing: it also comes of a
	// write to any connection whose other end has gone.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return framework.UnderGoRun(func(ctx context.Context) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		return work(ctx, console{out, cancel})
	})
}
