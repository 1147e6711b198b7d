// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework/clustertest"
)

// envoyGateway is the module whose Helm chart has the CRDs of Envoy Gateway and of the Gateway API.
const (
	envoyGateway    = "github.com/envoyproxy/gateway@v1.9.1"
	envoyGatewaySum = "h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY="
	envoyGatewayCRD = "charts/gateway-helm/charts/crds/crds"
)

// TestEnvoyGatewayTakesItsExample creates the objects of examples/envoy-gateway with strict validation, which refuses fields that Envoy Gateway does
// not have. No gateway runs.
func TestEnvoyGatewayTakesItsExample(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs an API server")
	}
	cluster := clustertest.Start(t, framework.Cluster{}, "default")
	module, err := framework.Module(t.Context(), envoyGateway, envoyGatewaySum)
	if err != nil {
		t.Fatal(err)
	}
	crds := filepath.Join(module, envoyGatewayCRD)
	if _, err := envtest.InstallCRDs(cluster.Config, envtest.CRDInstallOptions{ErrorIfPathMissing: true, Paths: []string{
		filepath.Join(crds, "gatewayapi-crds.yaml"),
		filepath.Join(crds, "generated/gateway.envoyproxy.io_backends.yaml"),
		filepath.Join(crds, "generated/gateway.envoyproxy.io_httproutefilters.yaml"),
	}}); err != nil {
		t.Fatal(err)
	}
	strict := client.WithFieldValidation(cluster.Client, "Strict")
	kinds := map[string]int{}
	for _, object := range objects(t, filepath.Join(folder, "envoy-gateway")) {
		object.SetNamespace("default")
		if err := strict.Create(t.Context(), object); err != nil {
			t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
		kinds[object.GetKind()]++
	}
	for _, kind := range []string{"CDPCredential", "HTTPRouteFilter", "Backend", "BackendTLSPolicy", "HTTPRoute"} {
		if kinds[kind] != 1 {
			t.Errorf("the example has %d of the kind %s, want 1", kinds[kind], kind)
		}
	}
}

// objects returns the objects of a folder's manifests.
func objects(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has %d manifests: %v", folder, len(files), err)
	}
	var all []*unstructured.Unstructured
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			object := &unstructured.Unstructured{}
			if err == nil {
				err = yaml.UnmarshalStrict(document, &object.Object)
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all = append(all, object)
		}
	}
	return all
}
