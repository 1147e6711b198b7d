// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap/zapcore"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// managerLabel keeps a CDPCredential from the shared manager: the test that sets it runs a manager of its own.
const managerLabel = "test-manager"

// openAddress is all that the managers of these tests may connect to beside public addresses. The other loopback addresses stay closed.
const openAddress = "127.0.0.1/32"

// cluster is an API server with the operator's CRD, and the real manager under exactly the rights of config/rbac.
type cluster struct {
	environment *envtest.Environment
	scheme      *runtime.Scheme
	admin       *rest.Config
	client      client.Client // of an administrator, uncached
	clientset   *kubernetes.Clientset
	temp        string
	binary      string // of the manager
	identity    identity
	manager     *process

	mu           sync.Mutex
	trace        trace
	metricsToken string
}

// startCluster gives an error that says what to do where there is no API server to start.
func startCluster() (*cluster, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set, so there is no API server to test against: run `make test`, " +
			"or KUBEBUILDER_ASSETS=$(hack/envtest/assets.sh) go test ./test/integration")
	}
	c := &cluster{scheme: runtime.NewScheme()}
	if err := errors.Join(clientgoscheme.AddToScheme(c.scheme), v1alpha1.AddToScheme(c.scheme)); err != nil {
		return nil, err
	}
	return c, errors.Join(c.start(), c.startShared())
}

func (c *cluster) start() (err error) {
	if c.temp, err = os.MkdirTemp("", "cdp-envtest-"); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(c.temp, "test.log")) // of the operators in this process
	if err != nil {
		return err
	}
	ctrl.SetLogger(zap.New(zap.WriteTo(log), zap.Level(zapcore.Level(-6))))
	c.trace.logs = append(c.trace.logs, log.Name())
	c.environment = &envtest.Environment{
		CRDDirectoryPaths:        []string{"../../config/crd/bases"},
		ErrorIfCRDPathMissing:    true,
		Scheme:                   c.scheme,
		ControlPlaneStartTimeout: 2 * time.Minute,
		ControlPlaneStopTimeout:  time.Minute,
	}
	if c.admin, err = c.environment.Start(); err != nil {
		return fmt.Errorf("start etcd and kube-apiserver: %w", err)
	}
	c.admin.QPS = -1
	if c.client, err = client.New(c.admin, client.Options{Scheme: c.scheme}); err != nil {
		return err
	}
	c.clientset, err = kubernetes.NewForConfig(c.admin)
	return err
}

// startShared builds the manager and starts the one that serves most tests, as it is deployed: with leader election, and with metrics for
// those only who may read them.
func (c *cluster) startShared() error {
	if c.clientset == nil {
		return nil // there is no API server
	}
	ctx := context.Background()
	c.binary = filepath.Join(c.temp, "manager")
	if out, err := exec.Command("go", "build", "-o", c.binary, "../../cmd/manager").CombinedOutput(); err != nil {
		return fmt.Errorf("build the manager: %w\n%s", err, out)
	}
	var err error
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
	if c.environment != nil {
		errs = append(errs, c.environment.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(c.temp))...)
}

// namespace makes one.
func (c *cluster) namespace(ctx context.Context, name string) (string, error) {
	namespace := &corev1.Namespace{}
	namespace.GenerateName = name + "-"
	err := c.client.Create(ctx, namespace)
	return namespace.Name, err
}
