// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestChartEqualsConfig: the chart renders what kustomize builds from config/, except for the differences that allow removes.
func TestChartEqualsConfig(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		folder string
		with   []string // lines of config/default/kustomization.yaml that are commented out
		values []string
	}{
		"default":    {folder: "default"},
		"namespaced": {folder: "namespaced", values: []string{"--set=watchNamespaces={default}"}},
		"egress":     {folder: "default", with: []string{"- ../network-policy/egress"}, values: []string{"--set=networkPolicy.egress.enabled=true"}},
		"Prometheus": {folder: "default", with: []string{"- ../prometheus"}, values: []string{"--set=serviceMonitor.enabled=true,prometheusRule.enabled=true"}},
		"restarts": {
			folder: "default", with: []string{"components:", "- ../rollout-restart"}, values: []string{"--set=rolloutRestart.enabled=true"},
		},
		"pods": {
			folder: "default", with: []string{"components:", "- ../pod-refresh"}, values: []string{"--set=podRefresh.enabled=true"},
		},
		"a dashboard": {folder: "with-dashboard", values: []string{"--set=grafanaDashboard.enabled=true"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := objects(t, template(t, tc.values...)), objects(t, build(t, tc.folder, tc.with...))
			for _, object := range ours {
				allow(t, object)
			}
			for name, object := range theirs {
				if object.GetKind() == "Namespace" { // with Helm, --create-namespace creates it
					delete(theirs, name)
				}
				allow(t, object)
			}
			if len(ours) < 10 {
				t.Errorf("the chart renders only %d objects", len(ours))
			}
			if diff := cmp.Diff(theirs, ours); diff != "" {
				t.Errorf("config/ (-) and chart (+) differ:\n%s", diff)
			}
		})
	}
}

// build returns what kustomize builds from a folder of config/, with lines of config/default/kustomization.yaml uncommented.
func build(t *testing.T, folder string, with ...string) string {
	t.Helper()
	config := t.TempDir()
	if err := os.CopyFS(config, os.DirFS(filepath.Join(root(t), "config"))); err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(config, "default/kustomization.yaml")
	content, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for _, line := range with {
		if strings.Count(text, "# "+line+"\n") != 1 {
			t.Fatalf("config/default/kustomization.yaml has no line %q in a comment", line)
		}
		text = strings.Replace(text, "# "+line+"\n", line+"\n", 1)
	}
	overlay := filepath.Join(config, "with-dashboard")
	for file, content := range map[string]string{
		main: text,
		filepath.Join(overlay, "kustomization.yaml"): "namespace: " + namespace + "\nresources: [../default, ../grafana]\n",
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := run(t, kustomize, "build", filepath.Join(config, folder))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// allow removes everything in which the chart and config/ may differ, and nothing else.
func allow(t *testing.T, object *unstructured.Unstructured) {
	t.Helper()
	// Labels about what an object is a part of: managed-by is Helm, the chart puts its version on everything, generated roles have none.
	labels := object.GetLabels()
	for key := range labels {
		if strings.HasPrefix(key, "app.kubernetes.io/") || key == "helm.sh/chart" {
			delete(labels, key)
		}
	}
	if object.SetLabels(labels); len(labels) == 0 {
		unstructured.RemoveNestedField(object.Object, "metadata", "labels")
	}
	// There can be two releases in a cluster, so the chart's selectors also name the release.
	for _, selector := range [][]string{
		{"spec", "selector"}, {"spec", "selector", "matchLabels"}, {"spec", "podSelector", "matchLabels"}, {"spec", "template", "metadata", "labels"},
	} {
		unstructured.RemoveNestedField(object.Object, append(selector, "app.kubernetes.io/instance")...)
	}
	switch object.GetKind() {
	case "CustomResourceDefinition":
		annotations := object.GetAnnotations()
		delete(annotations, "helm.sh/resource-policy") // uninstalling keeps it
		object.SetAnnotations(annotations)
	case "Deployment":
		pod := object.Object["spec"].(map[string]any)["template"].(map[string]any)["spec"].(map[string]any)
		container := pod["containers"].([]any)[0].(map[string]any)
		delete(container, "image") // neither knows the registry
		if container["imagePullPolicy"] == "IfNotPresent" {
			delete(container, "imagePullPolicy") // the API server's default for every tag but latest
		}
		for _, constraint := range pod["topologySpreadConstraints"].([]any) {
			unstructured.RemoveNestedField(constraint.(map[string]any), "labelSelector", "matchLabels", "app.kubernetes.io/instance")
		}
	}
}
