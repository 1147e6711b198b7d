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
func run(ctx context.Context, c console, show func(context.Context, watcher) error) (failed, unclean error) {
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

	c.say("Getting etcd, kube-apiserver and kubectl (the first time this may take minutes)")
	assets, err := framework.Assets(ctx, root)
	if err != nil {
		return err, nil
	}
	c.say("Building the manager")
	binary, err := framework.BuildManager(ctx, root, temp)
	if err != nil {
		return err, nil
	}

	c.say("Starting the token endpoints; tokens live a minute")
	endpoints, err := exchangetest.Start(exchangetest.Options{Behaviour: exchangetest.Behaviour{Lifetime: time.Minute}})
	if err != nil {
		return err, nil
	}
	defer later(endpoints.Close)

	c.say("Starting etcd and kube-apiserver")
	cluster, stop, err := framework.Start(ctx, framework.Cluster{Root: root, Temp: temp, Assets: assets}, namespace)
	defer later(stop)
	if err != nil {
		return err, nil
	}

	c.say("Starting the manager with the rights of config/rbac and no others")
	kubeconfig, err := cluster.ManagerKubeconfig(ctx)
	if err != nil {
		return err, nil
	}
	m, err := framework.StartManager(ctx, binary, kubeconfig, filepath.Join(temp, "manager.log"),
		"--leader-elect=false", "--metrics-bind-address=0", "--allowed-cidrs=127.0.0.0/8,::1/128")
	if err != nil {
		return err, nil
	}
	defer later(m.Stop)

	c.say("Applying config/samples, with the endpoints swapped for the local ones")
	credentials, err := samples.Apply(ctx, cluster, endpoints, namespace, time.Minute)
	if err != nil {
		return m.Explain(err), nil
	}
	c.say("\n%s\n", cluster.Invitation())
	alive, cancel := m.Watch(ctx) // a manager that dies ends the show
	defer cancel()
	w := watcher{console: c, client: cluster.Client, endpoints: endpoints, credentials: credentials}
	if err := show(alive, w); err != nil && ctx.Err() == nil {
		return m.Explain(err), nil
	}
	return nil, nil
}
