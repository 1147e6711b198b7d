// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// The users whose requests are counted: ServiceAccounts with the same role.
const (
	operatorAccount = "controller-manager"
	bareAccount     = "bare"
)

func userOf(account string) string {
	return "system:serviceaccount:" + framework.SystemNamespace + ":" + account
}

// A runner is one run.
type runner struct {
	options
	temp      string
	cluster   *framework.Cluster
	clientset kubernetes.Interface
	audit     *audit
	endpoint  *endpoint
	observer  *observer
	pids      map[string]int // of etcd and kube-apiserver

	kubeconfigs map[string]string // by account
	manager     *framework.Manager
	launched    time.Time
	pprof       string
	fleet       *fleet
	figures     figures
	// limits are the bare loop's objects per second before the compared phase, with and without the event; rate is that of the compared phase.
	limits   [2]float64
	compared string
	rate     float64
}

// run measures once, on a cluster of its own.
func (o options) run(ctx context.Context, temp string) (_ figures, err error) {
	later := func(tidy func() error) { err = errors.Join(err, tidy()) }
	r := &runner{options: o, kubeconfigs: map[string]string{}}
	if r.temp, err = os.MkdirTemp(temp, "run-"); err != nil {
		return nil, fmt.Errorf("create a temporary folder: %w", err)
	}
	defer later(func() error { return os.RemoveAll(r.temp) })
	if r.endpoint, err = startEndpoint(ctx, r.temp); err != nil {
		return nil, err
	}
	defer later(r.endpoint.stop)
	log, flags, err := auditFlags(r.temp, userOf(operatorAccount), userOf(bareAccount))
	if err != nil {
		return nil, err
	}
	r.audit = log
	cluster, stop, err := framework.Start(ctx, framework.Cluster{Root: o.root, Temp: r.temp, Assets: o.assets, StopTimeout: time.Second, APIServerFlags: flags}, "default")
	defer later(stop)
	if err != nil {
		return nil, err
	}
	r.cluster = cluster
	if r.pids, err = childrenOf("etcd", "kube-apiserver"); err != nil {
		return nil, err
	}
	watching, stopWatching := context.WithCancel(ctx)
	observer, done, err := observe(watching, cluster.Config)
	defer func() {
		stopWatching()
		if done != nil {
			done.Wait()
		}
	}()
	if err != nil {
		return nil, err
	}
	r.observer = observer
	defer later(r.stop)
	if err := r.play(ctx); err != nil {
		if r.manager != nil {
			err = r.manager.Explain(err)
		}
		return nil, err
	}
	return r.figures, nil
}

// play runs all phases.
func (r *runner) play(ctx context.Context) error {
	if err := r.setUp(ctx); err != nil {
		return err
	}
	phases := []func(context.Context) error{
		r.startUp, r.before, r.firstSync, r.compare, r.restart, r.churn, r.drift, r.rotation, r.idle, r.burst, r.steady,
	}
	if r.apply > 0 {
		phases = []func(context.Context) error{r.before, r.applied, r.compare}
	}
	for _, phase := range phases {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) setUp(ctx context.Context) (err error) {
	if r.clientset, err = kubernetes.NewForConfig(r.cluster.Config); err != nil {
		return err
	}
	if r.kubeconfigs[operatorAccount], err = r.cluster.ManagerKubeconfig(ctx); err != nil {
		return err
	}
	if r.kubeconfigs[bareAccount], err = r.cluster.AccountKubeconfig(ctx, bareAccount); err != nil {
		return err
	}
	say("creating %d unrelated Secrets", r.unrelated)
	return createUnrelated(ctx, r.clientset, r.unrelated)
}

// newFleet prepares a fleet without creating its credentials.
func (r *runner) newFleet(ctx context.Context, name string, size int) (*fleet, error) {
	f := &fleet{name: name, size: size, namespaces: r.namespaces, endpoint: r.endpoint, admin: r.cluster.Client}
	return f, f.prepare(ctx)
}

// openGate are flags with which the gate limits neither the rate nor the number of concurrent exchanges.
var openGate = []string{"--token-endpoint-qps=100000", "--token-endpoint-in-flight=64"}

// launch starts the manager and does not wait for it.
func (r *runner) launch(ctx context.Context, flags ...string) error {
	free, err := framework.FreeAddresses(ctx, 1)
	if err != nil {
		return err
	}
	r.pprof = "http://" + free[0]
	always := []string{"--allowed-cidrs=127.0.0.0/8", "--pprof-bind-address=" + free[0], "--zap-log-level=error"}
	r.launched = time.Now()
	r.manager, err = framework.LaunchManager(ctx, r.binary, r.kubeconfigs[operatorAccount], filepath.Join(r.temp, "manager.log"), append(always, flags...)...)
	return err
}

// stop stops the manager, if it runs.
func (r *runner) stop() error {
	if r.manager == nil {
		return nil
	}
	m := r.manager
	r.manager = nil
	return m.Stop()
}

func (r *runner) add(phase, name string, value float64, unit string) {
	r.figures.add(phase, name, value, unit)
}
