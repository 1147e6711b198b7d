// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// options are the options that all three processes are started with.
type options struct {
	pause   string // docker-archive of the image that holds a pod's namespaces; its tag is pauseImage
	load    files  // additional ones
	logs    string
	sync    time.Duration // of the kubelet
	check   bool          // only say what the machine lacks
	command []string
}

// files is a flag that can be repeated.
type files []string

func (f *files) String() string { return fmt.Sprint(*f) }

func (f *files) Set(value string) error {
	*f = append(*f, value)
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code, err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// run is one of three processes: the one that was called, which starts the others and cleans up; the first process of the new namespaces; and the one
// that starts the cluster.
func run(ctx context.Context, args []string) (int, error) {
	role := ""
	if len(args) > 0 && (args[0] == roleFirst || args[0] == rolePlay) {
		role, args = args[0], args[1:]
	}
	o, err := parse(args)
	if err != nil {
		return 1, err
	}
	if o.check {
		return 0, missing(ctx)
	}
	switch role {
	case roleFirst:
		return first(ctx, o)
	case rolePlay:
		return play(ctx, o)
	}
	return outside(ctx, o)
}

const (
	roleFirst = "@first"
	rolePlay  = "@play"
)

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("cluster", flag.ExitOnError)
	flags.StringVar(&o.pause, "pause", "", "docker-archive of an image called "+pauseImage+", which does nothing until it is stopped")
	flags.Var(&o.load, "load", "docker-archive of an image for pods (may be repeated)")
	flags.DurationVar(&o.sync, "sync", 10*time.Second, "sync interval of the kubelet, after which pods see changed volumes; the kubelet's default is 1m")
	flags.StringVar(&o.logs, "logs", "", "folder for the logs of the cluster's processes")
	flags.BoolVar(&o.check, "check", false, "report what this machine lacks for a cluster, and exit")
	if err := flags.Parse(args); err != nil || o.check {
		return o, err
	}
	o.command = flags.Args()
	if o.pause == "" || o.logs == "" || len(o.command) == 0 {
		return o, errors.New("give -pause, -logs and a command to run")
	}
	for _, path := range append([]*string{&o.pause, &o.logs}, pointers(o.load)...) {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return o, fmt.Errorf("find %s: %w", *path, err)
		}
		*path = absolute
	}
	return o, nil
}

func pointers(list []string) []*string {
	var p []*string
	for i := range list {
		p = append(p, &list[i])
	}
	return p
}

// args returns the arguments from which parse makes the same options.
func (o options) args(role string) []string {
	args := []string{role, "-pause", o.pause, "-logs", o.logs, "-sync", o.sync.String()}
	for _, file := range o.load {
		args = append(args, "-load", file)
	}
	return append(append(args, "--"), o.command...)
}

// exitCode returns the exit code of a command that ran, and an error if it ended in another way.
func exitCode(err error) (int, error) {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() {
		return exit.ExitCode(), nil
	}
	return 0, err
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "cluster: "+format+"\n", args...) }
