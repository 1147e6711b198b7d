// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite gitops/argocd/argocd-cm.yaml from the Lua files")

const (
	healthKey  = "resource.customizations.health.cdpcredentials.io_CDPCredential"
	actionsKey = "resource.customizations.actions.cdpcredentials.io_CDPCredential"
)

// configMap returns the required content of argocd-cm.yaml: the Lua files, word for word.
func configMap(t *testing.T) string {
	t.Helper()
	file := func(name string, indent int) string {
		content := strings.TrimSuffix(readText(t, filepath.Join(customization, name)), "\n")
		lines := strings.Split(content, "\n")
		for i, line := range lines {
			if line != "" {
				lines[i] = strings.Repeat(" ", indent) + line
			}
		}
		return strings.Join(lines, "\n") + "\n"
	}
	return `# Two keys for Argo CD's ConfigMap, made from the files of resource_customizations: (cd test/gitops && go test -run TestConfigMap -update)
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
data:
  ` + healthKey + `: |
` + file("health.lua", 4) + `  ` + actionsKey + `: |
    discovery.lua: |
` + file("actions/discovery.lua", 6) + `    definitions:
    - name: refresh
      action.lua: |
` + file("actions/refresh/action.lua", 8)
}

func configMapPath() string { return filepath.Join(root, "gitops/argocd/argocd-cm.yaml") }

// TestConfigMap: what users put into argocd-cm is what the tests have tested.
func TestConfigMap(t *testing.T) {
	t.Parallel()
	want := configMap(t)
	if *update {
		if err := os.WriteFile(configMapPath(), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, readText(t, configMapPath())); diff != "" {
		t.Errorf("run it with -update; -want +got:\n%s", diff)
	}
	got := &corev1.ConfigMap{}
	readYAML(t, configMapPath(), got)
	checkKeys(t, got)
}

// checkKeys reads the keys as Argo CD does.
func checkKeys(t *testing.T, got *corev1.ConfigMap) {
	t.Helper()
	if diff := cmp.Diff(readText(t, filepath.Join(customization, "health.lua")), got.Data[healthKey]); diff != "" {
		t.Errorf("%s, -want +got:\n%s", healthKey, diff)
	}
	type definition struct {
		Name   string `json:"name"`
		Action string `json:"action.lua"`
	}
	var actions struct {
		Discovery   string       `json:"discovery.lua"`
		Definitions []definition `json:"definitions"`
	}
	if err := yaml.UnmarshalStrict([]byte(got.Data[actionsKey]), &actions); err != nil {
		t.Fatalf("%s: %v", actionsKey, err)
	}
	if diff := cmp.Diff(readText(t, filepath.Join(customization, "actions/discovery.lua")), actions.Discovery); diff != "" {
		t.Errorf("discovery.lua, -want +got:\n%s", diff)
	}
	want := []definition{{"refresh", readText(t, filepath.Join(customization, "actions/refresh/action.lua"))}}
	if diff := cmp.Diff(want, actions.Definitions); diff != "" {
		t.Errorf("definitions, -want +got:\n%s", diff)
	}
}

// TestConfigMapIsPatched runs the command of docs/gitops.md, which must keep Argo CD's own settings.
func TestConfigMapIsPatched(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	existing := &corev1.ConfigMap{Data: map[string]string{"url": "https://argocd.example.com"}}
	existing.Namespace, existing.Name = c.namespace(t), "argocd-cm"
	if err := c.cluster.Client.Create(t.Context(), existing); err != nil {
		t.Fatal(err)
	}
	file, err := filepath.Abs(configMapPath())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.cluster.Kubectl(t.Context(), "patch", "configmap", "argocd-cm", "-n", existing.Namespace, "--patch-file", file); err != nil {
		t.Fatal(err)
	}
	got := &corev1.ConfigMap{}
	if err := c.cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(existing), got); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, got)
	if len(got.Data) != 3 || got.Data["url"] != "https://argocd.example.com" {
		t.Errorf("the ConfigMap has %d keys, url is %q", len(got.Data), got.Data["url"])
	}
}

// TestArgoComponentPatchesTheConfigMap: a kustomization that installs Argo CD gets the keys by including the component.
func TestArgoComponentPatchesTheConfigMap(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	folder := t.TempDir()
	if err := os.CopyFS(filepath.Join(folder, "component"), os.DirFS(filepath.Join(root, "gitops/argocd"))); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"install.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: argocd-cm\n  labels: {app.kubernetes.io/part-of: argocd}\n",
		"kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: argocd\nresources: [install.yaml]\n" +
			"components: [component]\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := &corev1.ConfigMap{}
	if err := yaml.UnmarshalStrict([]byte(c.kustomize(t, folder)), got); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, got)
	if got.Namespace != "argocd" || got.Labels["app.kubernetes.io/part-of"] != "argocd" {
		t.Errorf("the rest of the ConfigMap is no longer Argo CD's: %v", got.ObjectMeta)
	}
}
