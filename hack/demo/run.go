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

// namespace contains the samples.
const namespace = "demo"

// run starts everything that the demo needs, runs it, and cleans up, whatever happens in between. unclean has the errors of the cleanup.
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

// binaries are the paths of what the demo runs: the module's root, the folder with etcd and kube-apiserver, the manager, and the folder with kubectl
// plugins.
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

// perform applies the samples and runs show until it returns or the manager dies.
func perform(ctx context.Context, c *framework.Cluster, o *operator, w *watcher, show func(context.Context, *watcher) error) (err error) {
	w.say("Applying config/samples, with the endpoints replaced by local ones")
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

// alongside runs work with others in the background, and cancels them when it returns. An error of one of them cancels work.
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
