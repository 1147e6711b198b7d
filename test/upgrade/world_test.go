// SPDX-License-Identifier: Apache-2.0

package upgrade

import (
	"bufio"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework/clustertest"
)

// namespace is the namespace of the credentials.
const namespace = "tokens"

// A world is a cluster without the operator's CRD.
type world struct {
	*testing.T
	*framework.Cluster
	logs int
}

// newWorld starts a cluster. root is where the samples come from.
func newWorld(t *testing.T, root string) *world {
	t.Helper()
	cluster := clustertest.Start(t, framework.Cluster{Root: root, Bare: true, StopTimeout: 5 * time.Second}, namespace)
	return &world{T: t, Cluster: cluster}
}

func (w *world) kubectl(args ...string) string {
	w.Helper()
	out, err := w.Kubectl(w.Context(), args...)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

// install applies config/default of a version: CRD, roles, and a Deployment that no node runs.
func (w *world) install(v version) {
	w.Helper()
	w.kubectl("apply", "--server-side", "-k", filepath.Join(v.root, "config/default"))
	w.kubectl("wait", "--for=condition=Established", "--timeout=1m", "crd/cdpcredentials.cdpcredentials.io")
}

// account returns a kubeconfig of the ServiceAccount of that Deployment.
func (w *world) account() string {
	w.Helper()
	token := w.kubectl("create", "token", "cdp-credential-operator-controller-manager", "--namespace", framework.SystemNamespace, "--duration", "24h")
	path := filepath.Join(w.Temp, "manager.kubeconfig")
	if err := w.WriteKubeconfig(path, &clientcmdapi.AuthInfo{Token: token}, framework.SystemNamespace); err != nil {
		w.Fatal(err)
	}
	return path
}

// start starts a version's manager with the rights of its ServiceAccount.
func (w *world) start(v version, kubeconfig string, flags ...string) *framework.Manager {
	w.Helper()
	w.logs++
	m, err := framework.StartManager(w.Context(), v.manager, kubeconfig, filepath.Join(w.Temp, fmt.Sprintf("manager-%d.log", w.logs)), flags...)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := m.Stop(); err != nil {
			w.Error(err)
		}
	})
	return m
}

func (w *world) stop(m *framework.Manager) {
	w.Helper()
	if err := m.Stop(); err != nil {
		w.Fatal(m.Explain(err))
	}
}

// settled waits until a manager has reconciled n objects and has nothing left to do.
func (w *world) settled(m *framework.Manager, n int) {
	w.Helper()
	before := -1.0
	w.wait("the manager has reconciled everything", func() bool {
		sum, busy := 0.0, 0.0
		for name, value := range w.metrics(m) {
			switch {
			case strings.HasPrefix(name, "controller_runtime_reconcile_total{"):
				sum += value
			case strings.HasPrefix(name, "controller_runtime_active_workers{"), strings.HasPrefix(name, "workqueue_depth{"):
				busy += value
			}
		}
		quiet := busy == 0 && sum >= float64(n) && sum == before
		before = sum
		return quiet
	})
}

func (w *world) metrics(m *framework.Manager) map[string]float64 {
	w.Helper()
	request, err := http.NewRequestWithContext(w.Context(), http.MethodGet, m.Metrics, nil)
	if err != nil {
		w.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.Fatal(m.Explain(err))
	}
	defer func() { _ = response.Body.Close() }()
	found := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if i := strings.LastIndexByte(lines.Text(), ' '); i > 0 && lines.Text()[0] != '#' {
			if value, err := strconv.ParseFloat(lines.Text()[i+1:], 64); err == nil {
				found[lines.Text()[:i]] = value
			}
		}
	}
	if lines.Err() != nil {
		w.Fatal(lines.Err())
	}
	return found
}

// wait checks once a second, for two minutes.
func (w *world) wait(what string, is func() bool) {
	w.Helper()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for range 120 {
		if is() {
			return
		}
		<-ticker.C
	}
	w.Fatalf("not after two minutes: %s", what)
}

// ready reports whether n objects are Ready and up to date.
func (w *world) ready(n int) bool {
	w.Helper()
	ready := 0
	for _, object := range w.credentials() {
		if meta.IsStatusConditionTrue(object.Status.Conditions, v1alpha1.ConditionReady) && object.Status.ObservedGeneration == object.Generation {
			ready++
		}
	}
	return ready == n
}

func (w *world) credentials() []v1alpha1.CDPCredential {
	w.Helper()
	var list v1alpha1.CDPCredentialList
	if err := w.Client.List(w.Context(), &list, client.InNamespace(namespace)); err != nil {
		w.Fatal(err)
	}
	return list.Items
}

func (w *world) secrets() []corev1.Secret {
	w.Helper()
	var list corev1.SecretList
	if err := w.Client.List(w.Context(), &list, client.InNamespace(namespace)); err != nil {
		w.Fatal(err)
	}
	return list.Items
}

// versions returns the versions of all objects and Secrets. While they stay the same, nobody has written anything.
func (w *world) versions() map[string]string {
	w.Helper()
	versions := map[string]string{}
	for _, object := range w.credentials() {
		versions["CDPCredential "+object.Name] = object.ResourceVersion
	}
	for _, secret := range w.secrets() {
		versions["Secret "+secret.Name] = secret.ResourceVersion
	}
	return versions
}

// valid checks with dry runs that the API server still accepts every object as it is.
func (w *world) valid() {
	w.Helper()
	for _, object := range w.credentials() {
		if err := w.Client.Update(w.Context(), &object, client.DryRunAll); err != nil {
			w.Errorf("%s is no longer valid: %v", object.Name, err)
		}
		if err := w.Client.Status().Update(w.Context(), &object, client.DryRunAll); err != nil {
			w.Errorf("the status of %s is no longer valid: %v", object.Name, err)
		}
	}
}
