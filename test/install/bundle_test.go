// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	sigsyaml "sigs.k8s.io/yaml"
)

// TestBundleIsValid: Operator Framework's library, which `make bundle` calls, finds no fault in the bundle, and its Deployment and rights are those
// of config/default.
func TestBundleIsValid(t *testing.T) {
	t.Parallel()
	r := newClone(t)
	for line := range strings.Lines(r.sh("make bundle VERSION=v1.2.3 IMG=registry.example.com/cdp-credential-operator:v1.2.3")) {
		// The library mistakes a rule on events.k8s.io for its beta version, which Kubernetes has removed.
		if strings.Contains(line, "Warning") && !strings.Contains(line, "Migrate the API(s) for events:") {
			t.Errorf("the bundle is valid, but: %s", line)
		}
	}
	files := r.sh("cd dist/bundle && find . -type f | sort")
	want := strings.Join([]string{
		"./bundle.Dockerfile",
		"./manifests/cdp-credential-operator-cdpcredential-admin-role_clusterrole.yaml",
		"./manifests/cdp-credential-operator-cdpcredential-editor-role_clusterrole.yaml",
		"./manifests/cdp-credential-operator-cdpcredential-viewer-role_clusterrole.yaml",
		"./manifests/cdp-credential-operator-controller-manager-metrics-service_service.yaml",
		"./manifests/cdp-credential-operator-metrics-reader_clusterrole.yaml",
		"./manifests/cdp-credential-operator.clusterserviceversion.yaml",
		"./manifests/cdpcredentials.cdpcredentials.io_customresourcedefinition.yaml",
		"./metadata/annotations.yaml",
	}, "\n")
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("files: %s", diff)
	}
	type permissions struct {
		ServiceAccountName string              `json:"serviceAccountName"`
		Rules              []rbacv1.PolicyRule `json:"rules"`
	}
	var csv struct {
		Spec struct {
			Version string `json:"version"`
			Install struct {
				Spec struct {
					Deployments []struct {
						Spec appsv1.DeploymentSpec `json:"spec"`
					} `json:"deployments"`
					ClusterPermissions []permissions `json:"clusterPermissions"`
					Permissions        []permissions `json:"permissions"`
				} `json:"spec"`
			} `json:"install"`
		} `json:"spec"`
	}
	content, err := os.ReadFile(filepath.Join(r.clone, "dist/bundle/manifests/cdp-credential-operator.clusterserviceversion.yaml"))
	if err == nil {
		err = sigsyaml.Unmarshal(content, &csv)
	}
	if err != nil {
		t.Fatal(err)
	}
	built := objects(t, build(t, "default"))
	rules := as[rbacv1.ClusterRole](t, built, "ClusterRole cdp-credential-operator-manager-role").Rules
	rules = append(rules, as[rbacv1.ClusterRole](t, built, "ClusterRole cdp-credential-operator-metrics-auth-role").Rules...)
	own := as[rbacv1.Role](t, built, "Role "+namespace+"/cdp-credential-operator-leader-election-role").Rules
	install := csv.Spec.Install.Spec
	if diff := cmp.Diff([]permissions{{"cdp-credential-operator-controller-manager", rules}}, install.ClusterPermissions); diff != "" {
		t.Errorf("rights in the cluster: %s", diff)
	}
	if diff := cmp.Diff([]permissions{{"cdp-credential-operator-controller-manager", own}}, install.Permissions); diff != "" {
		t.Errorf("rights in the operator's namespace: %s", diff)
	}
	if got := install.Deployments[0].Spec.Template.Spec.Containers[0].Image; got != "registry.example.com/cdp-credential-operator:v1.2.3" || csv.Spec.Version != "1.2.3" {
		t.Errorf("version %s runs %s", csv.Spec.Version, got)
	}
	// Control: the library refuses a bundle without its CRD.
	if out, err := r.try("cd dist/bundle && rm manifests/cdpcredentials* && cd ../.. && bin/olm -validate dist/bundle"); err == nil || !strings.Contains(out, "CDPCredential") {
		t.Errorf("without its CRD: %v, %s", err, out)
	}
}
