// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard()) // controller-runtime complains if no logger is set
	code := m.Run()
	if err := shared.end(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// shared is the API server of this run, with the real manager. It starts with the first test that needs it.
var shared lazyCluster

type lazyCluster struct {
	once    sync.Once
	err     error
	cluster *framework.Cluster
	watcher client.WithWatch // of an administrator
	manager *framework.Manager
	stop    func() error
	temp    string
}

func sharedCluster(t *testing.T) *lazyCluster {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an API server")
	}
	shared.once.Do(func() { shared.err = shared.start(context.Background()) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return &shared
}

func (c *lazyCluster) start(ctx context.Context) error {
	folder, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	if c.temp, err = os.MkdirTemp("", "cdp-gitops-test-"); err != nil {
		return err
	}
	assets, err := framework.Assets(ctx, folder)
	if err != nil {
		return err
	}
	binary, err := framework.BuildManager(ctx, folder, c.temp)
	if err != nil {
		return err
	}
	c.cluster, c.stop, err = framework.Start(ctx, framework.Cluster{Root: folder, Temp: c.temp, Assets: assets}, "default")
	if err != nil {
		return err
	}
	if c.watcher, err = client.NewWithWatch(c.cluster.Config, client.Options{Scheme: c.cluster.Scheme}); err != nil {
		return err
	}
	kubeconfig, err := c.cluster.ManagerKubeconfig(ctx)
	if err != nil {
		return err
	}
	c.manager, err = framework.StartManager(ctx, binary, kubeconfig, filepath.Join(c.temp, "manager.log"), "--allowed-cidrs=127.0.0.1/32")
	return err
}

func (c *lazyCluster) end() error {
	var errs []error
	if c.manager != nil {
		errs = append(errs, c.manager.Stop())
	}
	if c.stop != nil {
		errs = append(errs, c.stop())
	}
	if c.temp != "" {
		errs = append(errs, os.RemoveAll(c.temp))
	}
	return errors.Join(errs...)
}

// namespace creates a namespace.
func (c *lazyCluster) namespace(t *testing.T) string {
	t.Helper()
	namespace := &corev1.Namespace{}
	namespace.GenerateName = "gitops-"
	if err := c.cluster.Client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

var credentialKind = schema.GroupVersionKind{Group: "cdpcredentials.io", Version: "v1alpha1", Kind: "CDPCredential"}

// live reads a CDPCredential as GitOps tools do, without its Go type.
func (c *lazyCluster) live(t *testing.T, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(credentialKind)
	if err := c.cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, obj); err != nil {
		t.Fatal(err)
	}
	return obj
}

// kustomize returns what kubectl builds from a folder.
func (c *lazyCluster) kustomize(t *testing.T, folder string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out.yaml")
	if _, err := c.cluster.Kubectl(t.Context(), "kustomize", folder, "-o", file); err != nil {
		t.Fatal(err)
	}
	return readText(t, file)
}
