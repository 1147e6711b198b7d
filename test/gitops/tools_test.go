// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"path/filepath"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// tools are the tools whose objects the examples contain, each with the module that has its CRDs, and its checksum.
var tools = []struct{ module, sum, crds string }{
	{"github.com/argoproj/argo-cd/v3@v3.5.7", "h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=", "manifests/crds/application-crd.yaml"},
	{"github.com/fluxcd/kustomize-controller@v1.6.0", "h1:13S+wqCQ44njSg59DNgm1qMqVkK6+0eoZs+jv4+EWCs=", "config/crd/bases"},
	{"github.com/fluxcd/helm-controller@v1.4.0", "h1:rkm8rmB6Na7eNc4pJOnvtXEaJ19iKluRtayHKjBxcUM=", "config/crd/bases"},
}

// TestExamplesAreWhatTheToolsTake applies the example Applications, Kustomizations and the HelmRelease with strict validation, which refuses fields
// that the tool does not have.
func TestExamplesAreWhatTheToolsTake(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	var crds []string
	for _, tool := range tools {
		folder, err := framework.Module(t.Context(), tool.module, tool.sum)
		if err != nil {
			t.Fatal(err)
		}
		crds = append(crds, filepath.Join(folder, tool.crds))
	}
	if _, err := envtest.InstallCRDs(c.cluster.Config, envtest.CRDInstallOptions{Paths: crds, ErrorIfPathMissing: true}); err != nil {
		t.Fatal(err)
	}
	strict := client.WithFieldValidation(c.cluster.Client, "Strict")
	kinds := map[string]int{}
	for where, objects := range manifests(t) {
		for _, obj := range objects {
			switch obj.GetKind() {
			case "Application", "HelmRelease":
			case "Kustomization":
				if obj.GetAPIVersion() != "kustomize.toolkit.fluxcd.io/v1" {
					continue // kustomize's own, which is not an API object
				}
			default:
				continue
			}
			obj.SetNamespace("default") // argocd and flux-system do not exist
			if err := strict.Create(t.Context(), obj, client.DryRunAll); err != nil {
				t.Errorf("%s: %v", where, err)
			}
			kinds[obj.GetKind()]++
		}
	}
	if kinds["Application"] < 3 || kinds["Kustomization"] < 4 || kinds["HelmRelease"] < 1 {
		t.Errorf("the examples have only %v", kinds)
	}
}
