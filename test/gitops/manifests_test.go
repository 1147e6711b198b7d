// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var separator = regexp.MustCompile(`(?m)^---\s*$`)

// documents returns the YAML documents of a text.
func documents(t *testing.T, where, text string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, part := range separator.Split(text, -1) {
		object := map[string]any{}
		if err := yaml.UnmarshalStrict([]byte(part), &object); err != nil {
			t.Errorf("%s: %v in\n%s", where, err, part)
			continue
		}
		if len(object) > 0 {
			all = append(all, &unstructured.Unstructured{Object: object})
		}
	}
	return all
}

// manifests returns the samples, the examples and the manifests in docs/gitops.md, by file, with paths from the root.
func manifests(t *testing.T) map[string][]*unstructured.Unstructured {
	t.Helper()
	found := map[string][]*unstructured.Unstructured{}
	add := func(pattern string, read func(where, text string)) {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			where, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			read(where, readText(t, path))
		}
	}
	for _, pattern := range []string{
		"config/samples/*.yaml", "gitops/argocd/*.yaml", "gitops/flux/*.yaml", "gitops/example/*.yaml", "gitops/example/*/*.yaml",
		"gitops/argocd/resource_customizations/*/*/testdata/*.yaml", "gitops/argocd/resource_customizations/*/*/actions/testdata/*.yaml",
	} {
		add(pattern, func(where, text string) { found[where] = documents(t, where, text) })
	}
	fence := regexp.MustCompile("(?ms)^ *```ya?ml\n(.*?)^ *```$")
	add("docs/gitops.md", func(where, text string) {
		for _, match := range fence.FindAllStringSubmatch(text, -1) {
			found[where] = append(found[where], documents(t, where, match[1])...)
		}
	})
	return found
}

// credentials returns the manifests that are CDPCredentials.
func credentials(t *testing.T) map[string][]*unstructured.Unstructured {
	t.Helper()
	found := manifests(t)
	for where, objects := range found {
		found[where] = slices.DeleteFunc(objects, func(obj *unstructured.Unstructured) bool { return obj.GetKind() != "CDPCredential" })
	}
	return found
}

// TestExampleManifestsAreValid: every manifest is YAML without duplicate keys, and the paths in the examples for Argo CD and Flux are folders with a
// kustomization.
func TestExampleManifestsAreValid(t *testing.T) {
	t.Parallel()
	found := manifests(t)
	if len(found["docs/gitops.md"]) < 5 {
		t.Errorf("docs/gitops.md has %d manifests", len(found["docs/gitops.md"]))
	}
	var paths []string
	for _, app := range found["gitops/argocd/application.yaml"] {
		paths = append(paths, pathIn(t, app, "spec", "source", "path"))
	}
	for _, kustomization := range found["gitops/flux/kustomization.yaml"] {
		paths = append(paths, pathIn(t, kustomization, "spec", "path"))
	}
	if len(paths) != 5 {
		t.Errorf("the examples have the paths %q", paths)
	}
	for _, path := range paths {
		if _, err := os.Stat(filepath.Join(root, path, "kustomization.yaml")); err != nil {
			t.Error(err)
		}
	}
}

func pathIn(t *testing.T, obj *unstructured.Unstructured, fields ...string) string {
	t.Helper()
	path, _, err := unstructured.NestedString(obj.Object, fields...)
	if err != nil || path == "" {
		t.Errorf("%s %s has no %s: %v", obj.GetKind(), obj.GetName(), strings.Join(fields, "."), err)
	}
	return path
}

// TestSchemaHasNoDefaultsBelowSpec: a default below spec would be a permanent difference between Git and the cluster.
func TestSchemaHasNoDefaultsBelowSpec(t *testing.T) {
	t.Parallel()
	crd := map[string]any{}
	readYAML(t, filepath.Join(root, "config/crd/bases/cdpcredentials.io_cdpcredentials.yaml"), &crd)
	versions, _, err := unstructured.NestedSlice(crd, "spec", "versions")
	if err != nil || len(versions) == 0 {
		t.Fatalf("%d versions, %v", len(versions), err)
	}
	for _, version := range versions {
		spec, found, err := unstructured.NestedMap(version.(map[string]any), "schema", "openAPIV3Schema", "properties", "spec")
		if err != nil || !found {
			t.Fatalf("the schema has no spec: %v", err)
		}
		for _, path := range defaults(spec, "spec") {
			t.Errorf("%s has a default", path)
		}
	}
}

// defaults returns the paths at which a schema has defaults. A property named default is not one.
func defaults(schema map[string]any, path string) []string {
	var found []string
	if _, has := schema["default"]; has {
		found = append(found, path)
	}
	if properties, ok := schema["properties"].(map[string]any); ok {
		for name, property := range properties {
			found = append(found, defaults(property.(map[string]any), path+"."+name)...)
		}
	}
	for _, keyword := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[keyword].(map[string]any); ok {
			found = append(found, defaults(inner, path+"."+keyword)...)
		}
	}
	return found
}
