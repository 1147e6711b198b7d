// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework/clustertest"
)

// A reader is someone with a clone of the repository and rights in a cluster.
type reader struct {
	*testing.T
	*framework.Cluster
	clone string
	path  string
}

// newClone copies what is needed to install from a clone.
func newClone(t *testing.T) *reader {
	t.Helper()
	r := &reader{T: t, Cluster: &framework.Cluster{Temp: t.TempDir()}, clone: t.TempDir()}
	here := root(t)
	for _, folder := range []string{"config", "charts", "hack", "docs/images"} {
		if err := os.CopyFS(filepath.Join(r.clone, folder), os.DirFS(filepath.Join(here, folder))); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"Makefile", "go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(here, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(r.clone, file), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tool, err := helm()
	if err != nil {
		t.Fatal(err)
	}
	r.path = filepath.Dir(tool) + string(os.PathListSeparator) + os.Getenv("PATH")
	return r
}

// use switches this reader's shell to another Helm.
func (r *reader) use(tool func() (string, error)) {
	r.Helper()
	file, err := tool()
	if err != nil {
		r.Fatal(err)
	}
	r.path = filepath.Dir(file) + string(os.PathListSeparator) + r.path
}

// newReader makes a clone and starts an API server without nodes and without our CRD.
func newReader(t *testing.T) *reader {
	t.Helper()
	r := newClone(t)
	r.Cluster = clustertest.Start(t, framework.Cluster{Root: root(t), Temp: r.Temp, Bare: true, StopTimeout: 5 * time.Second}, "default")
	r.path = r.Assets + string(os.PathListSeparator) + r.path
	return r
}

// try runs commands as a reader's shell would, but stops at the first that fails. It returns all their output.
func (r *reader) try(commands string) (string, error) {
	cmd := exec.CommandContext(context.WithoutCancel(r.T.Context()), "bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir = r.clone
	// The clone has no history, so VERSION must be given.
	cmd.Env = append(append(os.Environ(), homes(filepath.Join(r.Temp, "helm"))...), "KUBECONFIG="+r.AdminKubeconfig(),
		"KUBECACHEDIR="+filepath.Join(r.Temp, "cache"), "PATH="+r.path, "VERSION=dev", "MAKEFLAGS=")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", commands, err, out.String())
	}
	return out.String(), nil
}

func (r *reader) sh(commands string) string {
	r.Helper()
	out, err := r.try(commands)
	if err != nil {
		r.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// apply applies a manifest.
func (r *reader) apply(manifest string) {
	r.Helper()
	file := filepath.Join(r.Temp, "manifest.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		r.Fatal(err)
	}
	r.sh("kubectl apply --server-side -f " + file)
}

// credential creates a CDPCredential and returns its UID.
func (r *reader) credential() (uid string) {
	r.Helper()
	r.apply(`apiVersion: cdpcredentials.io/v1alpha1
kind: CDPCredential
metadata: {name: etl, namespace: default}
spec:
  provider:
    apsis: {}
  clientSecretRef: {name: etl-client}
  target: {name: etl-token}
`)
	return r.sh("kubectl get cdpcred etl -o jsonpath={.metadata.uid}")
}

func (r *reader) keeps(uid string) {
	r.Helper()
	if now := r.sh("kubectl get cdpcred etl -o jsonpath={.metadata.uid}"); now != uid {
		r.Errorf("the CDPCredential has the UID %s, then %s", uid, now)
	}
}

// absent fails if a thing exists.
func (r *reader) absent(thing string) {
	r.Helper()
	if out := r.sh("kubectl get --ignore-not-found -o name " + thing); out != "" {
		r.Errorf("%s exists", out)
	}
}

// empty removes everything that was installed. No controller empties and removes namespaces here, so this does.
func (r *reader) empty() {
	r.Helper()
	r.sh(`
		kubectl get crd,clusterrole,clusterrolebinding -o name | { grep '/cdp' || true; } | xargs -r kubectl delete
		for namespace in $(kubectl get namespaces -o name | { grep -v -E '/(default|kube-.*)$' || true; }); do
			name=${namespace#*/}
			kubectl delete --all -n "$name" deployments,poddisruptionbudgets,services,networkpolicies,serviceaccounts,roles,rolebindings,secrets
			kubectl delete --wait=false "$namespace"
			echo '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "'"$name"'"}}' |
				kubectl replace --raw "/api/v1/namespaces/$name/finalize" -f -
		done`)
}
