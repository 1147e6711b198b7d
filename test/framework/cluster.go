// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A Cluster is an API server without nodes, with the operator's CRD unless it is Bare.
type Cluster struct {
	Root   string // of the module
	Temp   string // temporary folder; the caller creates and removes it
	Assets string // folder with etcd, kube-apiserver and kubectl
	// Bare leaves the CRD out.
	Bare bool
	// StopTimeout is how long kube-apiserver may take to stop before it is killed. Zero: a minute, which it needs to end its watches.
	StopTimeout time.Duration
	// APIServerFlags are additional flags of kube-apiserver, without dashes.
	APIServerFlags map[string]string

	Scheme *runtime.Scheme
	Config *rest.Config  // of an administrator
	Client client.Client // of an administrator, uncached

	environment *envtest.Environment
}

// Start starts etcd and kube-apiserver. The returned function stops both and is never nil. namespace is kubectl's default namespace.
func Start(ctx context.Context, c Cluster, namespace string) (*Cluster, func() error, error) {
	// With our own folders, data and certificates survive a restart of kube-apiserver, and nothing is ever left outside of Temp.
	certificates, data := filepath.Join(c.Temp, "kube-apiserver"), filepath.Join(c.Temp, "etcd")
	if err := errors.Join(os.MkdirAll(certificates, 0o700), os.MkdirAll(data, 0o700)); err != nil {
		return &c, func() error { return nil }, fmt.Errorf("create folders: %w", err)
	}
	c.environment = &envtest.Environment{
		BinaryAssetsDirectory:    c.Assets,
		CRDDirectoryPaths:        []string{filepath.Join(c.Root, "config/crd/bases")},
		ErrorIfCRDPathMissing:    true,
		UseExistingCluster:       new(false),
		ControlPlaneStartTimeout: 2 * time.Minute,
		ControlPlaneStopTimeout:  cmp.Or(c.StopTimeout, time.Minute),
	}
	if c.Bare {
		c.environment.CRDDirectoryPaths = nil
	}
	c.environment.ControlPlane.GetAPIServer().CertDir = certificates
	for flag, value := range c.APIServerFlags {
		c.environment.ControlPlane.GetAPIServer().Configure().Set(flag, value)
	}
	c.environment.ControlPlane.Etcd = &envtest.Etcd{DataDir: data}
	stop := func() error { return c.killed(c.environment.Stop()) }
	var err error
	if c.Config, err = c.environment.Start(); err != nil {
		return &c, stop, fmt.Errorf("start etcd and kube-apiserver: %w", err)
	}
	c.Config.QPS = -1
	c.Scheme = runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(c.Scheme), v1alpha1.AddToScheme(c.Scheme)); err != nil {
		return &c, stop, fmt.Errorf("build the scheme: %w", err)
	}
	if c.Client, err = client.New(c.Config, client.Options{Scheme: c.Scheme}); err != nil {
		return &c, stop, fmt.Errorf("create a client: %w", err)
	}
	admin := &clientcmdapi.AuthInfo{ClientCertificateData: c.Config.CertData, ClientKeyData: c.Config.KeyData}
	if err := c.WriteKubeconfig(c.AdminKubeconfig(), admin, namespace); err != nil {
		return &c, stop, err
	}
	return &c, stop, ctx.Err()
}

// StopAPIServer stops kube-apiserver. etcd keeps running; address, certificates and identities stay the same.
func (c *Cluster) StopAPIServer() error {
	if err := c.killed(c.environment.ControlPlane.APIServer.Stop()); err != nil {
		return fmt.Errorf("stop kube-apiserver: %w", err)
	}
	return nil
}

// killed drops the error that a process had to be killed, where that is expected.
func (c *Cluster) killed(err error) error {
	if err != nil && c.StopTimeout > 0 && strings.Contains(err.Error(), "timeout waiting for process") {
		return nil
	}
	return err
}

// StartAPIServer starts kube-apiserver again and returns once it is healthy.
func (c *Cluster) StartAPIServer() error {
	if err := c.environment.ControlPlane.APIServer.Start(); err != nil {
		return fmt.Errorf("start kube-apiserver: %w", err)
	}
	return nil
}

// AdminKubeconfig returns the path of an administrator's kubeconfig.
func (c *Cluster) AdminKubeconfig() string { return filepath.Join(c.Temp, "kubeconfig") }

// WriteKubeconfig writes a kubeconfig for a user.
func (c *Cluster) WriteKubeconfig(path string, user *clientcmdapi.AuthInfo, namespace string) error {
	const name = "test"
	kubeconfig := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: c.Config.Host, CertificateAuthorityData: c.Config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: user},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name, Namespace: namespace}},
		CurrentContext: name,
	}
	if err := clientcmd.WriteToFile(kubeconfig, path); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}

// Kubectl runs kubectl as an administrator and returns the last line of its output. Its cache is in the temporary folder, not in the user's home.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	always := []string{"--kubeconfig", c.AdminKubeconfig(), "--cache-dir", filepath.Join(c.Temp, "kubectl-cache")}
	return Output(Command(ctx, c.Temp, filepath.Join(c.Assets, "kubectl"), append(always, args...)...))
}

// Invitation returns the commands for a second terminal. plugins are folders with plugins of kubectl.
func (c *Cluster) Invitation(plugins ...string) string {
	line := "export KUBECONFIG=" + c.AdminKubeconfig()
	if _, err := exec.LookPath("kubectl"); err != nil {
		plugins = append(plugins, c.Assets)
	}
	if len(plugins) > 0 {
		line += " PATH=" + strings.Join(append(plugins, "$PATH"), string(os.PathListSeparator))
	}
	return "To try it from a second terminal:\n  " + line + "\n  kubectl get cdpcred,secret"
}
