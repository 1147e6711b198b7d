// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sigsyaml "sigs.k8s.io/yaml"
)

// TestClonedChartAsksForAnImage: the chart of a clone names no unpublished image, and says what to do instead.
func TestClonedChartAsksForAnImage(t *testing.T) {
	t.Parallel()
	_, err := run(t, helm, "template", release, chart, "--kube-version=1.37.0")
	if err == nil {
		t.Fatal("the chart renders without an image")
	}
	for _, says := range []string{"image.tag: this chart comes from a clone", "make docker-build docker-push IMG=", "helm install cdp-credential-operator oci://"} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("the error does not contain %q: %v", says, err)
		}
	}
}

// TestChartRefusesOldKubernetes: nothing is installed on an untested version; the suffix of a vendor's build does no harm.
func TestChartRefusesOldKubernetes(t *testing.T) {
	t.Parallel()
	for version, taken := range map[string]bool{"1.30.14": false, "1.31.0": true, "1.31.14-eks-113cf36": true, "1.37.2": true} {
		_, err := run(t, helm, append(slices.Clone(rendering), "--kube-version="+version)...)
		if taken != (err == nil) || !taken && !strings.Contains(err.Error(), "requires kubeVersion: >=1.31.0-0") {
			t.Errorf("%s: %v", version, err)
		}
	}
}

// TestChartMetadata: the metadata for https://artifacthub.io is valid, and names only what exists.
func TestChartMetadata(t *testing.T) {
	t.Parallel()
	var metadata struct {
		Icon        string            `json:"icon"`
		KubeVersion string            `json:"kubeVersion"`
		Annotations map[string]string `json:"annotations"`
	}
	if err := sigsyaml.Unmarshal([]byte(read(t, chart+"/Chart.yaml")), &metadata); err != nil {
		t.Fatal(err)
	}
	if metadata.KubeVersion != ">=1.31.0-0" {
		t.Errorf("kubeVersion is %s; docs/support.md and hack/envtest have 1.31", metadata.KubeVersion)
	}
	const ours = "https://raw.githubusercontent.com/cdpcredentials/cdp-credential-operator/main/"
	if _, err := os.Stat(filepath.Join(root(t), strings.TrimPrefix(metadata.Icon, ours))); err != nil || !strings.HasPrefix(metadata.Icon, ours) {
		t.Errorf("the icon %s: %v", metadata.Icon, err)
	}
	var links []struct {
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	if err := sigsyaml.UnmarshalStrict([]byte(metadata.Annotations["artifacthub.io/links"]), &links); err != nil || len(links) == 0 {
		t.Errorf("links: %v", err)
	}
	for _, link := range links {
		const blob = "https://github.com/cdpcredentials/cdp-credential-operator/blob/main/"
		if file, ok := strings.CutPrefix(link.URL, blob); ok {
			if _, err := os.Stat(filepath.Join(root(t), file)); err != nil {
				t.Error(err)
			}
		}
	}
	var crds []map[string]string
	if err := sigsyaml.UnmarshalStrict([]byte(metadata.Annotations["artifacthub.io/crds"]), &crds); err != nil || len(crds) != 1 || crds[0]["name"] != "cdpcredentials.cdpcredentials.io" {
		t.Errorf("CRDs: %v, %v", crds, err)
	}
	var examples []map[string]any
	if err := sigsyaml.UnmarshalStrict([]byte(metadata.Annotations["artifacthub.io/crdsExamples"]), &examples); err != nil || len(examples) != 1 {
		t.Errorf("examples: %v, %v", examples, err)
	}
}

// read returns a file of the repository.
func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root(t), file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
