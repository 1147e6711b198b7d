// SPDX-License-Identifier: Apache-2.0

package install

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
	sigsyaml "sigs.k8s.io/yaml"
)

var row = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]+)` \\|")

// TestChartReadme: the table of values has exactly the values of the chart, with their defaults.
func TestChartReadme(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(root(t), chart)
	page, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(string(page), -1) {
		said[match[1]] = match[2]
	}
	content, err := os.ReadFile(filepath.Join(folder, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := sigsyaml.Unmarshal(content, &values); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	flatten(t, "", values, want)
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("values.yaml (-) and README.md (+) differ: %s", diff)
	}
}

// flatten lists values that are not maps, and empty maps, by path.
func flatten(t *testing.T, path string, value any, into map[string]string) {
	t.Helper()
	if inner, is := value.(map[string]any); is && len(inner) > 0 {
		for key, v := range inner {
			if path != "" {
				key = path + "." + key
			}
			flatten(t, key, v, into)
		}
		return
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	into[path] = string(text)
}

// TestSchemaNamesEveryValue: values.yaml and the schema have the same values.
func TestSchemaNamesEveryValue(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(root(t), chart)
	read := func(name string) map[string]any {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := sigsyaml.Unmarshal(content, &tree); err != nil {
			t.Fatal(err)
		}
		return tree
	}
	values, schema := read("values.yaml"), read("values.schema.json")
	var compare func(path string, values, schema map[string]any)
	compare = func(path string, values, schema map[string]any) {
		properties, _ := schema["properties"].(map[string]any)
		for key, property := range properties {
			inner := property.(map[string]any)
			v, there := values[key]
			if !there && path+key != "global" {
				t.Errorf("values.yaml has no %s%s", path, key)
			}
			if _, closed := inner["properties"]; closed {
				compare(path+key+".", v.(map[string]any), inner)
			}
		}
		for key := range values {
			if properties[key] == nil {
				t.Errorf("values.schema.json has no %s%s", path, key)
			}
		}
	}
	compare("", values, schema)
}
