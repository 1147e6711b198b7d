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
	root, err := framework.ModuleRoot(ctx)
	if err != nil {
		return err, nil
	}
	temp, err := os.MkdirTemp("", "cdp-demo-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err), nil
	}
	later := func(tidy func() error) { unclean = errors.Join(unclean, tidy()) }
	defer later(func() error { return os.RemoveAll(temp) })
	if err := os.Setenv("TMPDIR", temp); err != nil { // where etcd and kube-apiserver keep their data
		return fmt.Errorf("set TMPDIR: %w", err), nil
	}

	out.say("Getting etcd, kube-apiserver and kubectl (the first time this may take minutes)")
	assets, err := framework.Assets(ctx, root)
	if err != nil {
		return err, nil
	}
	out.say("Building the manager")
	binary, err := framework.BuildManager(ctx, root, temp)
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
	c, stop, err := framework.Start(ctx, framework.Cluster{Root: root, Temp: temp, Assets: assets}, namespace)
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
	m, err := startManager(ctx, c, binary, temp, endpoints.CABundle())
	if err != nil {
		return err, nil
	}
	defer later(m.Stop)

	out.say("Applying config/samples, with the endpoints swapped for the local ones")
	credentials, err := samples.Apply(ctx, c, endpoints, namespace, time.Minute)
	if err != nil {
		return m.Explain(err), nil
	}
	if err := welcome(ctx, c, endpoints); err != nil {
		return err, nil
	}
	w := &watcher{console: out, client: c.Client, endpoints: endpoints, credentials: credentials, invitation: invitation(c, m.Metrics)}
	out.say("\n%s\n", w.invitation)
	alive, cancel := m.Watch(ctx) // a manager that dies ends the show
	defer cancel()
	if err := show(alive, w); err != nil && ctx.Err() == nil {
		return m.Explain(err), nil
	}
	return nil, nil
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
