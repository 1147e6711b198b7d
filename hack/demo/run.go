package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/cdptest"
)

// run builds the stage, plays, and clears it, whatever happens in between. What fails in clearing is in unclean.
func run(ctx context.Context, interactive bool) (failed, unclean error) {
	root, err := moduleRoot(ctx)
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

	say("Getting etcd, kube-apiserver and kubectl (the first time this may take minutes)")
	assets, err := output(command(ctx, root, "hack/envtest/assets.sh"))
	if err != nil {
		return fmt.Errorf("get etcd and kube-apiserver: %w", err), nil
	}
	say("Building the manager")
	binary := filepath.Join(temp, "manager")
	if _, err := output(command(ctx, root, "go", "build", "-o", binary, "./cmd/manager")); err != nil {
		return fmt.Errorf("build the manager: %w", err), nil
	}

	say("Starting the token endpoints; tokens live a minute")
	endpoints, err := cdptest.Start(cdptest.Options{Behaviour: cdptest.Behaviour{Lifetime: time.Minute}})
	if err != nil {
		return err, nil
	}
	defer later(endpoints.Close)

	say("Starting etcd and kube-apiserver")
	c, stop, err := startCluster(ctx, cluster{root: root, temp: temp, assets: assets})
	defer later(stop)
	if err != nil {
		return err, nil
	}

	say("Starting the manager with the rights of config/rbac and no others")
	kubeconfig, err := c.managerKubeconfig(ctx)
	if err != nil {
		return err, nil
	}
	m, err := startManager(ctx, binary, kubeconfig, filepath.Join(temp, "manager.log"))
	if err != nil {
		return err, nil
	}
	defer later(m.stop)

	say("Applying config/samples, with the endpoints swapped for the local ones")
	credentials, err := c.applySamples(ctx, endpoints)
	if err != nil {
		return m.explain(err), nil
	}
	say("\n%s\n", c.invitation())
	alive, cancel := m.watch(ctx) // a manager that dies ends the show
	defer cancel()
	w := watcher{client: c.client, endpoints: endpoints, credentials: credentials}
	show := printChanges
	if interactive {
		show = showTable
	}
	if err := show(alive, w); err != nil && ctx.Err() == nil {
		return m.explain(err), nil
	}
	return nil, nil
}

// say tells what is going on.
func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }
