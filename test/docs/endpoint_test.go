// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

const (
	endpointMarker = "run by: TestGuidesAtAnEndpoint"

	// tokenLifetime is the lifetime of the endpoint's tokens. The operator renews them after half of it.
	tokenLifetime = 30 * time.Second
)

// TestGuidesAtAnEndpoint follows the guides that need the operator and an endpoint that issues tokens.
func TestGuidesAtAnEndpoint(t *testing.T) {
	t.Parallel()
	world := newEndpointWorld(t)
	for name, g := range guides {
		t.Run("migration/"+name, func(t *testing.T) {
			t.Parallel()
			(&migration{endpointReader: world.reader(t)}).migrate(g)
		})
	}
	t.Run("private CA", func(t *testing.T) {
		t.Parallel()
		r := world.reader(t)
		if err := os.WriteFile(filepath.Join(r.folder, "ca.pem"), world.corp.CABundle(), 0o600); err != nil {
			t.Fatal(err)
		}
		r.run("docs/providers.md", func(block) bool { return true })
		if err := r.bash(t.Context(), "kubectl wait cdpcred corp --for=condition=Ready --timeout=60s", nil); err != nil {
			t.Error(err)
		}
	})
}

// An endpointWorld is what the guides share: an API server that also has the CRDs of External Secrets Operator; a manager; kubectl's plugin; and the
// endpoints that the pages name, for which a proxy leads to stand-ins. The manager trusts the one of auth.example.com as it would a public one; the
// one of auth.corp.example has its own CA.
type endpointWorld struct {
	root            string
	cluster         *framework.Cluster
	endpoints, corp *exchangetest.Server
	proxy, ca       string // URL, and the file with the CA certificate of auth.example.com
	programs        string
}

// The module with the CRDs of External Secrets Operator.
const (
	externalSecretsModule = "github.com/external-secrets/external-secrets@v1.3.2"
	externalSecretsSum    = "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ="
)

func newEndpointWorld(t *testing.T) *endpointWorld {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	later := func(stop func() error) {
		t.Cleanup(func() {
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
	serve := func(host string) *exchangetest.Server {
		t.Helper()
		server, err := exchangetest.Start(exchangetest.Options{Behaviour: exchangetest.Behaviour{Lifetime: tokenLifetime}, Hosts: []string{host}})
		must(err)
		later(server.Close)
		must(server.Register(exchangetest.Client{System: exchangetest.OAuth2, ID: "my-id", Secret: "my-secret"}))
		return server
	}
	root, err := framework.ModuleRoot(t.Context())
	must(err)
	assets, err := framework.Assets(t.Context(), root)
	must(err)
	temp := t.TempDir()
	w := &endpointWorld{
		root: root, programs: temp, ca: filepath.Join(temp, "ca.pem"), endpoints: serve("auth.example.com"), corp: serve("auth.corp.example"),
	}
	must(os.WriteFile(w.ca, w.endpoints.CABundle(), 0o600))
	proxy, stop, err := framework.StartProxy(t.Context(), map[string]string{
		"auth.example.com:443": w.endpoints.Host(exchangetest.OAuth2), "auth.corp.example:443": w.corp.Host(exchangetest.OAuth2),
	})
	must(err)
	later(stop)
	w.proxy = proxy

	w.cluster, stop, err = framework.Start(t.Context(), framework.Cluster{Root: root, Temp: temp, Assets: assets}, "default")
	later(stop)
	must(err)
	module, err := framework.Module(t.Context(), externalSecretsModule, externalSecretsSum)
	must(err)
	crds := filepath.Join(module, "config/crds/bases")
	_, err = envtest.InstallCRDs(w.cluster.Config, envtest.CRDInstallOptions{ErrorIfPathMissing: true, Paths: []string{
		filepath.Join(crds, "external-secrets.io_externalsecrets.yaml"),
		filepath.Join(crds, "generators.external-secrets.io_webhooks.yaml"),
	}})
	must(err)

	must(framework.Command(t.Context(), root, "go", "build", "-o", filepath.Join(temp, "kubectl-cdpcred"), "./cmd/kubectl-cdpcred").Run())
	manager, err := framework.BuildManager(t.Context(), root, temp)
	must(err)
	kubeconfig, err := w.cluster.ManagerKubeconfig(t.Context())
	must(err)
	running, err := framework.StartManager(t.Context(), manager, kubeconfig, filepath.Join(temp, "manager.log"),
		"--leader-elect=false", "--allowed-cidrs=127.0.0.0/8", "--ca-file="+w.ca, "HTTPS_PROXY="+proxy)
	must(err)
	later(running.Stop)
	return w
}

// An endpointReader follows a page in a namespace of its own, with the operator and the endpoints.
type endpointReader struct {
	*reader
	*endpointWorld
}

func (w *endpointWorld) reader(t *testing.T) *endpointReader {
	t.Helper()
	r := &endpointReader{newReader(t, w.cluster), w}
	r.reader.programs = w.programs
	return r
}

// run runs the wanted blocks of a page that are marked for this test. Objects are applied.
func (r *endpointReader) run(page string, wanted func(block) bool) {
	r.Helper()
	found := false
	for _, b := range pages(r.T, r.root)[page] {
		if !strings.HasPrefix(b.marker, endpointMarker) || !wanted(b) {
			continue
		}
		commands, input := b.text, ""
		if b.language == "yaml" {
			commands, input = "kubectl apply -f -", b.text
		}
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
		err := r.reader.bash(ctx, commands, []byte(input))
		cancel()
		if err != nil {
			r.Fatalf("%s:%d: %v", page, b.line, err)
		}
		found = true
	}
	if !found {
		r.Fatalf("%s has no commands for this test", page)
	}
}
