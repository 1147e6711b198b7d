// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// managerLabel keeps a CDPCredential from the shared manager: the test that sets it runs its own.
const managerLabel = "test-manager"

// openAddress is the only non-public address to which the managers of these tests may connect. Other loopback addresses stay closed.
const openAddress = "127.0.0.1/32"

// cluster is an API server with the operator's CRD, and the real manager with exactly the rights of config/rbac.
type cluster struct {
	*framework.Cluster
	stopAPIServer func() error
	clientset     *kubernetes.Clientset
	binary        string // of the manager
	identity      identity
	manager       *process

	mu           sync.Mutex
	trace        trace
	metricsToken string
}

// startCluster starts all of it. end can stop what was started, even after an error.
func startCluster() (*cluster, error) {
	c := &cluster{Cluster: &framework.Cluster{}}
	ctx := context.Background()
	if err := c.startAPIServer(ctx); err != nil {
		return c, err
	}
	return c, c.startShared(ctx)
}

func (c *cluster) startAPIServer(ctx context.Context) error {
	root, err := framework.ModuleRoot(ctx)
	if err != nil {
		return err
	}
	assets, err := framework.Assets(ctx, root)
	if err != nil {
		return err
	}
	if c.Temp, err = os.MkdirTemp("", "cdp-envtest-"); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(c.Temp, "test.log")) // of the operators in this process
	if err != nil {
		return err
	}
	ctrl.SetLogger(zap.New(zap.WriteTo(log), zap.Level(zapcore.Level(-6))))
	c.trace.logs = append(c.trace.logs, log.Name())
	c.Cluster, c.stopAPIServer, err = framework.Start(ctx, framework.Cluster{Root: root, Temp: c.Temp, Assets: assets}, "default")
	if err != nil {
		return err
	}
	c.clientset, err = kubernetes.NewForConfig(c.Config)
	return err
}

// startShared builds the manager and starts the one that most tests use, as it is deployed: with leader election, and with metrics only for those who
// may read them.
func (c *cluster) startShared(ctx context.Context) (err error) {
	if c.binary, err = framework.BuildManager(ctx, c.Root, c.Temp); err != nil {
		return err
	}
	if c.identity, err = c.grant(ctx, operatorRoles(), "shared"); err != nil {
		return err
	}
	c.manager, err = c.startManager(ctx, c.identity, "shared", "--leader-elect", "--watch-selector=!"+managerLabel, "--allowed-cidrs="+openAddress)
	return err
}

func (c *cluster) end() error {
	var errs []error
	if c.manager != nil {
		errs = append(errs, c.searchTheRun(), c.manager.stop())
	}
	if c.stopAPIServer != nil {
		errs = append(errs, c.stopAPIServer())
	}
	return errors.Join(append(errs, os.RemoveAll(c.Temp))...)
}

// namespace creates a namespace.
func (c *cluster) namespace(ctx context.Context, name string) (string, error) {
	namespace := &corev1.Namespace{}
	namespace.GenerateName = name + "-"
	err := c.Client.Create(ctx, namespace)
	return namespace.Name, err
}
