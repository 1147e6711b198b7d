package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// namespace is where the samples are.
const namespace = "demo"

// cluster is an API server without nodes.
type cluster struct {
	root   string // of the module
	temp   string
	assets string // folder with kubectl in it

	config *rest.Config // of an administrator
	client client.Client
}

// startCluster completes c. The returned function stops everything and never is nil.
func startCluster(ctx context.Context, c cluster) (cluster, func() error, error) {
	environment := &envtest.Environment{
		BinaryAssetsDirectory:    c.assets,
		CRDDirectoryPaths:        []string{filepath.Join(c.root, "config/crd/bases")},
		ErrorIfCRDPathMissing:    true,
		UseExistingCluster:       new(false),
		ControlPlaneStartTimeout: 2 * time.Minute,
		ControlPlaneStopTimeout:  time.Minute,
	}
	var err error
	if c.config, err = environment.Start(); err != nil {
		return c, environment.Stop, fmt.Errorf("start etcd and kube-apiserver: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return c, environment.Stop, fmt.Errorf("build the scheme: %w", err)
	}
	if c.client, err = client.New(c.config, client.Options{Scheme: scheme}); err != nil {
		return c, environment.Stop, fmt.Errorf("make a client: %w", err)
	}
	admin := &clientcmdapi.AuthInfo{ClientCertificateData: c.config.CertData, ClientKeyData: c.config.KeyData}
	if err := c.writeKubeconfig(c.adminKubeconfig(), admin, namespace); err != nil {
		return c, environment.Stop, err
	}
	return c, environment.Stop, ctx.Err()
}

func (c cluster) adminKubeconfig() string { return filepath.Join(c.temp, "kubeconfig") }

// writeKubeconfig makes a file with which somebody can reach the API server.
func (c cluster) writeKubeconfig(path string, user *clientcmdapi.AuthInfo, namespace string) error {
	const name = "demo"
	kubeconfig := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: c.config.Host, CertificateAuthorityData: c.config.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: user},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name, Namespace: namespace}},
		CurrentContext: name,
	}
	if err := clientcmd.WriteToFile(kubeconfig, path); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	return nil
}

// kubectl runs kubectl as an administrator and returns the last line of its output. Its cache is in the temporary folder, not in the
// user's home.
func (c cluster) kubectl(ctx context.Context, args ...string) (string, error) {
	always := []string{"--kubeconfig", c.adminKubeconfig(), "--cache-dir", filepath.Join(c.temp, "kubectl-cache")}
	return output(command(ctx, c.temp, filepath.Join(c.assets, "kubectl"), append(always, args...)...))
}

// invitation is what to type in a second terminal.
func (c cluster) invitation() string {
	line := "export KUBECONFIG=" + c.adminKubeconfig()
	if _, err := exec.LookPath("kubectl"); err != nil {
		line += " PATH=$PATH" + string(os.PathListSeparator) + c.assets
	}
	return "To play with it from a second terminal:\n  " + line + "\n  kubectl get cdpcred,secret"
}
