// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework/samples"
)

// namespace is where the samples are.
const namespace = "demo"

// run starts all that the demo needs, plays, and clears it away, whatever happens in between. What fails in clearing is in unclean.
func run(ctx context.Context, out console, show func(context.Context, *watcher) error) (failed, unclean error) {
	temp, err := os.MkdirTemp("", "cdp-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err), nil
	}
	later := func(tidy func() error) { unclean = errors.Join(unclean, tidy()) }
	defer later(func() error { return os.RemoveAll(temp) })
	if err := os.Setenv("TMPDIR", temp); err != nil { // where etcd and kube-apiserver keep their data
		return fmt.Errorf("set TMPDIR: %w", err), nil
	}

	built, err := build(ctx, out, temp)
	if err != nil {
		return err, nil
	}

	out.say("Starting the token endpoints; tokens live a minute")
	endpoints, err := exchangetest.Start(exchangetest.Options{Behaviour: exchangetest.Behaviour{Lifetime: time.Minute}, Hosts: vendorNames()})
	if err != nil {
		return err, nil
	}
	defer later(endpoints.Close)

	out.say("Starting etcd and kube-apiserver")
	c, stop, err := framework.Start(ctx, framework.Cluster{Root: built.root, Temp: temp, Assets: built.assets}, namespace)
	defer later(stop)
	if err != nil {
		return err, nil
	}

	out.say("Starting the manager with the rights of config/rbac and no others")
	stop, err = divertVendors(ctx, endpoints)
	if err != nil {
		return err, nil
	}
	defer later(stop)
	o, err := startOperator(ctx, c, built.manager, temp, endpoints.CABundle())
	if err != nil {
		return err, nil
	}
	defer later(o.stop)

	w := &watcher{console: out, client: c.Client, endpoints: endpoints, invitation: invitation(c, built.plugins, o.metrics())}
	return perform(ctx, c, o, w, show), nil
}

// binaries are what the demo runs, and where they were built from. plugins is the folder of kubectl's.
type binaries struct{ root, assets, manager, plugins string }

func build(ctx context.Context, out console, temp string) (built binaries, err error) {
	if built.root, err = framework.ModuleRoot(ctx); err != nil {
		return built, err
	}
	out.say("Getting etcd, kube-apiserver and kubectl (the first time this may take minutes)")
	if built.assets, err = framework.Assets(ctx, built.root); err != nil {
		return built, err
	}
	out.say("Building the manager and kubectl cdpcred")
	if built.manager, err = framework.BuildManager(ctx, built.root, temp); err != nil {
		return built, err
	}
	built.plugins = filepath.Join(temp, "plugins")
	_, err = framework.Output(framework.Command(ctx, built.root, "go", "build", "-o", built.plugins+"/", "./cmd/kubectl-cdpcred"))
	return built, err
}

// perform applies the samples and shows what becomes of them, until that is over or the manager dies.
func perform(ctx context.Context, c *framework.Cluster, o *operator, w *watcher, show func(context.Context, *watcher) error) (err error) {
	w.say("Applying config/samples, with the endpoints swapped for the local ones")
	if w.credentials, err = samples.Apply(ctx, c, w.endpoints, namespace, time.Minute); err != nil {
		return err
	}
	if err := welcome(ctx, c, w.endpoints); err != nil {
		return err
	}
	w.say("\n%s\n", w.invitation)
	if err := alongside(ctx, func(ctx context.Context) error { return show(ctx, w) }, o.keep, w.followFaults); err != nil && ctx.Err() == nil {
		return o.explain(err)
	}
	return nil
}

// alongside does work while others go on, and ends them with it. An error of one of them ends the work.
func alongside(ctx context.Context, work func(context.Context) error, others ...func(context.Context) error) error {
	ctx, end := context.WithCancelCause(ctx)
	var going sync.WaitGroup
	for _, other := range others {
		going.Go(func() {
			if err := other(ctx); err != nil {
				end(err)
			}
		})
	}
	err := work(ctx)
	end(nil)
	going.Wait()
	return err
}
