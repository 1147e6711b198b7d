// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// shared is what most of the tests use. The soak itself has its own API server, because it stops that.
var shared struct {
	root       string
	cluster    *framework.Cluster
	binary     string // of the manager
	token      string // of its ServiceAccount
	kubeconfig string
}

// TestMain starts what the tests share. They break things around the real manager and a real API server: the short form of `make soak`, failover at
// every point of a reconcile, and endpoints that hang or throttle.
func TestMain(m *testing.M) {
	flag.Parse()
	log.SetLogger(logr.Discard()) // controller-runtime complains if no logger is set
	// Failover tests wait for Leases to expire and hardly compute.
	if err := flag.Set("test.parallel", "32"); err != nil {
		fail(err)
	}
	code, err := play(m)
	if err != nil {
		fail(err)
	}
	os.Exit(code)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func play(m *testing.M) (code int, err error) {
	ctx := context.Background()
	if shared.root, err = framework.ModuleRoot(ctx); err != nil {
		return 0, err
	}
	temp, err := os.MkdirTemp("", "cdp-soak-test-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	assets, err := framework.Assets(ctx, shared.root)
	if err != nil {
		return 0, err
	}
	if shared.binary, err = framework.BuildManager(ctx, shared.root, temp); err != nil {
		return 0, err
	}
	cluster, stop, err := framework.Start(ctx, framework.Cluster{Root: shared.root, Temp: temp, Assets: assets}, "default")
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return 0, err
	}
	shared.cluster = cluster
	if shared.kubeconfig, err = cluster.ManagerKubeconfig(ctx); err != nil {
		return 0, err
	}
	return m.Run(), nil
}
