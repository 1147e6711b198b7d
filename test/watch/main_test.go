// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// A site is an API server and the operator's binary with its rights, shared by the tests.
type site struct {
	*framework.Cluster
	binary     string // of the manager
	kubeconfig string // of its ServiceAccount
}

// shared is created by the first test that needs it.
var shared struct {
	sync.Mutex
	site  *site
	tidy  []func() error
	cause error
}

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard()) // controller-runtime complains if no logger is set
	code := m.Run()
	var err error
	for _, tidy := range slices.Backward(shared.tidy) {
		err = errors.Join(err, tidy())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// newSite returns the site and creates a namespace in it.
func newSite(t *testing.T, namespace string) *site {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.site == nil && shared.cause == nil {
		shared.site, shared.cause = buildSite()
	}
	if shared.cause != nil {
		t.Fatal(shared.cause)
	}
	ns := &corev1.Namespace{}
	ns.Name = namespace
	if err := shared.site.Client.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	return shared.site
}

func buildSite() (*site, error) {
	ctx := context.Background() // it outlives the test that creates it
	root, err := framework.ModuleRoot(ctx)
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "cdp-watch-test-")
	if err != nil {
		return nil, err
	}
	shared.tidy = append(shared.tidy, func() error { return os.RemoveAll(temp) })
	assets, err := framework.Assets(ctx, root)
	if err != nil {
		return nil, err
	}
	s := &site{}
	if s.binary, err = framework.BuildManager(ctx, root, temp); err != nil {
		return nil, err
	}
	cluster, stop, err := framework.Start(ctx, framework.Cluster{Root: root, Temp: temp, Assets: assets}, "default")
	shared.tidy = append(shared.tidy, stop)
	if err != nil {
		return nil, err
	}
	s.Cluster = cluster
	if s.kubeconfig, err = cluster.ManagerKubeconfig(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// start runs an operator for a namespace until the test ends.
func (s *site) start(t *testing.T, namespace string, flags ...string) *framework.Manager {
	t.Helper()
	m, err := framework.StartManager(t.Context(), s.binary, s.kubeconfig, filepath.Join(t.TempDir(), "manager.log"),
		append([]string{"--watch-namespaces=" + namespace, "--allowed-cidrs=127.0.0.0/8"}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(m.Explain(errors.New("the test failed")))
		}
	})
	return m
}

// until waits until holds returns an empty text; otherwise it returns what is missing.
func until(t *testing.T, patience time.Duration, what string, holds func() (why string)) {
	t.Helper()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); ; {
		why := holds()
		if why == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %s", what, patience, why)
		}
		select {
		case <-ticker.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}
