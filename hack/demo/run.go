// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	m, err := startManager(ctx, c, built.manager, temp, endpoints.CABundle())
	if err != nil {
		return err, nil
	}
	defer later(m.Stop)

	w := &watcher{console: out, client: c.Client, endpoints: endpoints, invitation: invitation(c, m.Metrics)}
	if err := perform(ctx, c, m, w, show); err != nil {
		return m.Explain(err), nil
	}
	return nil, nil
}

// binaries are what the demo runs, and where they were built from.
type binaries struct{ root, assets, manager string }

func build(ctx context.Context, out console, temp string) (built binaries, err error) {
	if built.root, err = framework.ModuleRoot(ctx); err != nil {
		return built, err
	}
	out.say("Getting etcd, kube-apiserver and kubectl (the first time this may take minutes)")
	if built.assets, err = framework.Assets(ctx, built.root); err != nil {
		return built, err
	}
	out.say("Building the manager")
	built.manager, err = framework.BuildManager(ctx, built.root, temp)
	return built, err
}

// perform applies the samples and shows what becomes of them, until that is over or the manager dies.
func perform(ctx context.Context, c *framework.Cluster, m *framework.Manager, w *watcher, show func(context.Context, *watcher) error) (err error) {
	w.say("Applying config/samples, with the endpoints swapped for the local ones")
	if w.credentials, err = samples.Apply(ctx, c, w.endpoints, namespace, time.Minute); err != nil {
		return err
	}
	if err := welcome(ctx, c, w.endpoints); err != nil {
		return err
	}
	w.say("\n%s\n", w.invitation)
	alive, cancel := m.Watch(ctx)
	defer cancel()
	if err := show(alive, w); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// startManager starts the operator. It trusts the stand-ins' CA for the vendors' hosts.
func startManager(ctx context.Context, c *framework.Cluster, binary, temp string, authority []byte) (*framework.Manager, error) {
	caFile := filepath.Join(temp, "ca.crt")
	if err := os.WriteFile(caFile, authority, 0o600); err != nil {
		return nil, fmt.Errorf("write the stand-ins' CA: %w", err)
	}
	kubeconfig, err := c.ManagerKubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	return framework.StartManager(ctx, binary, kubeconfig, filepath.Join(temp, "manager.log"),
		"--leader-elect=false", "--allowed-cidrs=127.0.0.0/8,::1/128", "--ca-file="+caFile)
}
