// SPDX-License-Identifier: Apache-2.0

// Command bench measures the operator with many credentials: a real kube-apiserver and etcd, a token endpoint that takes 50 ms to answer, and the
// real manager, each in a process of its own, all on this machine. It prints a table and writes the same figures as JSON. In the same run a bare
// client loop makes only the unavoidable requests: absolute times depend on the machine, the ratio to that loop shows how good the operator is.
// Everything listens on loopback and is removed afterwards, also after Ctrl-C.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

func main() {
	log.SetLogger(logr.Discard()) // controller-runtime complains if no logger is set
	if err := framework.UnderGoRun(func(ctx context.Context) error { return play(ctx, os.Args[1:]) }); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// play runs the bench itself, or one of the processes that it starts: the endpoint or the bare loop.
func play(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == roleEndpoint {
		return serveEndpoint(ctx)
	}
	if len(args) > 0 && args[0] == roleBare {
		return loopBare(ctx, args[1:])
	}
	return bench(ctx, args)
}

// options define what is measured.
type options struct {
	credentials, unrelated, runs int
	// namespaces is the number of namespaces of each fleet; it matters because the operator limits the calls of a namespace.
	namespaces int
	// apply, if not 0, is the number of objects to apply to a running operator; nothing else is measured then.
	apply int
	// lifetime is that of tokens in the steady state. Zero skips the steady state.
	lifetime time.Duration
	// profile lists the profiles to take of the manager: cpu, heap, both, or none.
	profile string
	// keep is the folder for profiles and the manager's logs; json is the file for the figures.
	keep, json string
	flags      string

	root, binary, assets string
}

func parse(args []string) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.credentials, "credentials", 1000, "Number of CDPCredentials.")
	flags.IntVar(&o.unrelated, "unrelated", 10000, "Number of unrelated Secrets of 20 KB.")
	flags.IntVar(&o.namespaces, "namespaces", 10, "Number of namespaces among which they are spread.")
	flags.IntVar(&o.apply, "apply", 0, "Measure only this many CDPCredentials, applied as fast as possible to a running operator, and the bare loop; 0 measures everything.")
	flags.IntVar(&o.runs, "runs", 1, "Number of runs; the table shows the medians.")
	flags.DurationVar(&o.lifetime, "lifetime", 3*time.Minute, "Lifetime of the tokens of the steady state, which lasts until each token was renewed; 0 skips it.")
	flags.StringVar(&o.profile, "profile", "", "Profiles to take of the manager during its first sync, or while objects are applied: cpu, heap, cpu,heap or none.")
	flags.StringVar(&o.keep, "keep", ".", "Folder for the profile.")
	flags.StringVar(&o.json, "json", "", "File for the figures as JSON; empty means standard output, after the table.")
	flags.StringVar(&o.flags, "manager-flags", "", "Additional flags for the manager, separated by spaces.")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.apply > 0 {
		o.credentials = o.apply
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unknown argument %q", flags.Arg(0))
	case o.credentials < 10 || o.unrelated < 0 || o.runs < 1:
		return o, errors.New("at least 10 credentials and one run are needed")
	case o.namespaces < 1 || o.apply < 0:
		return o, errors.New("at least one namespace is needed, and -apply cannot be negative")
	case !slices.Contains([]string{"", "cpu", "heap", "cpu,heap"}, o.profile):
		return o, errors.New("-profile is cpu, heap, or cpu,heap")
	}
	return o, nil
}

func bench(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.root, err = framework.ModuleRoot(ctx); err != nil {
		return err
	}
	if o.assets, err = framework.Assets(ctx, o.root); err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "cdp-bench-")
	if err != nil {
		return fmt.Errorf("create a temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if o.binary, err = framework.BuildManager(ctx, o.root, temp); err != nil {
		return err
	}
	var runs []figures
	for n := range o.runs {
		say("run %d of %d: %d credentials in %d namespaces, %d unrelated Secrets", n+1, o.runs, o.credentials, o.namespaces, o.unrelated)
		got, err := o.run(ctx, temp)
		if err != nil {
			return err
		}
		runs = append(runs, got)
	}
	fmt.Print(table(o, runs))
	return write(o, runs)
}

// say prints a progress message.
func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
