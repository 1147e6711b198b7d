// SPDX-License-Identifier: Apache-2.0

package install

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReleaseFilesApplyTwiceWithoutChange: the files of a release can be applied, and applying them again changes nothing.
func TestReleaseFilesApplyTwiceWithoutChange(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]string{
		"install.yaml":            "make build-installer IMG=registry.example.com/cdp-credential-operator:v1.2.3",
		"install-namespaced.yaml": "make build-installer-namespaced NAMESPACES=default,kube-public IMG=registry.example.com/cdp-credential-operator:v1.2.3",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReader(t)
			r.sh(command)
			versions := "kubectl get -o go-template='{{range .items}}{{.kind}} {{.metadata.name}} {{.metadata.uid}} {{.metadata.resourceVersion}}\n{{end}}' -f dist/" + name
			r.sh("kubectl apply --server-side -f dist/" + name)
			r.sh("kubectl wait --for=condition=Established --timeout=1m " + crd)
			before := r.sh(versions)
			if n := strings.Count(before, "\n") + 1; n < 12 {
				t.Errorf("there are only %d objects:\n%s", n, before)
			}
			uid := r.credential()
			r.sh("kubectl apply --server-side -f dist/" + name)
			if diff := cmp.Diff(before, r.sh(versions)); diff != "" {
				t.Errorf("applying again changed something: %s", diff)
			}
			r.keeps(uid)
			if got := r.sh("kubectl get -o jsonpath={.spec.template.spec.containers[0].image} " + manager); got != "registry.example.com/cdp-credential-operator:v1.2.3" {
				t.Errorf("the image is %s", got)
			}
			for _, object := range objects(t, r.sh("cat dist/"+name)) {
				if object.GetKind() == "Deployment" {
					r.admitted("", object) // under the Pod Security labels of the file's own Namespace
				}
			}
		})
	}
}

// TestChartPackage: the chart that `make release` packs has the release's version and image.
func TestChartPackage(t *testing.T) {
	t.Parallel()
	r := newClone(t)
	for _, tc := range []struct{ version, image, chart, app, shows string }{
		{"v1.2.3", "registry.example.com:5000/tokens/operator:v1.2.3-rc", "1.2.3", "v1.2.3", "registry.example.com:5000/tokens/operator:v1.2.3-rc"},
		{"1.2.3", "cdp-credential-operator", "1.2.3", "1.2.3", "cdp-credential-operator:1.2.3"},
		{"125de57-dirty", "localhost/operator@sha256:" + strings.Repeat("ab", 32), "0.0.0-125de57-dirty", "125de57-dirty", "localhost/operator@sha256:" + strings.Repeat("ab", 32)},
		{"0123456", "operator:0123456", "0.0.0-g0123456", "0123456", "operator:0123456"},
	} {
		r.sh("make chart-package VERSION=" + tc.version + " IMG=" + tc.image)
		if got := r.sh("ls dist/*.tgz"); got != "dist/cdp-credential-operator-"+tc.chart+".tgz" {
			t.Errorf("packed: %s", got)
		}
		shown := r.sh("helm show chart dist/*.tgz")
		if !strings.Contains(shown, "\nversion: "+tc.chart) || !strings.Contains(shown, "appVersion: "+tc.app) && !strings.Contains(shown, `appVersion: "`+tc.app) {
			t.Errorf("%s: %s", tc.version, shown)
		}
		if rendered := r.sh("helm template cdp-credential-operator dist/*.tgz" + kube); !strings.Contains(rendered, `image: "`+tc.shows+`"`) {
			t.Errorf("%s does not show in:\n%s", tc.shows, rendered)
		}
	}
}
