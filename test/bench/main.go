// SPDX-License-Identifier: Apache-2.0

// Command bench measures the operator at work on many credentials: a real kube-apiserver and etcd, a token endpoint that answers after
// 50 ms, and the real manager, each a process of its own, all on this machine. It prints one table and writes the same as JSON. In the same
// run a bare client loop makes the unavoidable requests with nothing around them: absolute times say how fast the machine is, the ratio to
// that loop says how good the operator is. Everything is on loopback and gone afterwards, also after Ctrl-C.
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
	log.SetLogger(logr.Discard()) // controller-runtime complains if nobody says where its log goes
	if err := framework.UnderGoRun(func(ctx context.Context) error { return play(ctx, os.Args[1:]) }); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// play is the bench itself, or one of the processes that it starts: the endpoint or the bare loop.
func play(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == roleEndpoint {
		return serveEndpoint(ctx)
	}
	if len(args) > 0 && args[0] == roleBare {
		return loopBare(ctx, args[1:])
	}
	return bench(ctx, args)
}

// options say what to measure.
type options struct {
	credentials, unrelated, runs int
	// namespaces is over how many each fleet is spread: the operator bounds the calls of one namespace.
	namespaces int
	// apply, if not 0, is how many objects are applied to a running operator; nothing else is measured then.
	apply int
	// lifetime is that of the tokens of the steady state; zero leaves the steady state out.
	lifetime time.Duration
	// profile is what to take of the manager: cpu, heap, both, or nothing.
	profile string
	// keep is the folder for profiles and the manager's logs; json that file.
	keep, json string
	flags      string

	root, binary, assets string
}

func parse(args []string) (options, error) {
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&o.credentials, "credentials", 1000, "How many CDPCredentials there are.")
	flags.IntVar(&o.unrelated, "unrelated", 10000, "How many Secrets of 20 KB are beside them that nobody needs.")
	flags.IntVar(&o.namespaces, "namespaces", 10, "Over how many namespaces they are spread.")
	flags.IntVar(&o.apply, "apply", 0, "Measure only this: so many CDPCredentials, applied as fast as possible to an operator that runs, beside the bare loop; 0 leaves it out.")
	flags.IntVar(&o.runs, "runs", 1, "How many times to measure; the table has the medians.")
	flags.DurationVar(&o.lifetime, "lifetime", 3*time.Minute, "How long the tokens of the steady state live, which is watched until each was renewed; 0 leaves it out.")
	flags.StringVar(&o.profile, "profile", "", "What to take of the manager during its first sync, or while objects are applied: cpu, heap, both separated by a comma, or nothing.")
	flags.StringVar(&o.keep, "keep", ".", "Folder for the profile.")
	flags.StringVar(&o.json, "json", "", "File for the figures as JSON; empty means standard output, after the table.")
	flags.StringVar(&o.flags, "manager-flags", "", "Further flags for the manager, separated by spaces.")
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
		return fmt.Errorf("make a temporary folder: %w", err)
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

// say tells what is going on.
func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }
