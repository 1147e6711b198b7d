// SPDX-License-Identifier: Apache-2.0

// Command jsonschema writes the JSON schemas of CRDs, one file for each served version, for editors and for kubeconform:
//
//	jsonschema -o schemas config/crd/bases/*.yaml
//
// The files are schemas/GROUP/KIND_VERSION.json, as in the CRD catalog that kubeconform's users know. Unknown fields are errors, as with `kubectl
// apply --validate=strict`. The CEL rules of a CRD are not included: JSON Schema cannot express them.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

func main() {
	out := flag.String("o", "schemas", "folder to write to")
	flag.Parse()
	for _, file := range flag.Args() {
		if err := write(file, *out); err != nil {
			fmt.Fprintln(os.Stderr, "jsonschema:", err)
			os.Exit(1)
		}
	}
}

// A definition is the part of a CRD that we need.
type definition struct {
	Spec struct {
		Group string `json:"group"`
		Names struct {
			Kind string `json:"kind"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Served bool   `json:"served"`
			Schema struct {
				OpenAPI map[string]any `json:"openAPIV3Schema"`
			} `json:"schema"`
		} `json:"versions"`
	} `json:"spec"`
}

func write(file, folder string) error {
	content, err := os.ReadFile(file) //nolint:gosec // the caller names it
	if err != nil {
		return fmt.Errorf("read the CRD: %w", err)
	}
	var crd definition
	if err := yaml.Unmarshal(content, &crd); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	group, kind := crd.Spec.Group, crd.Spec.Names.Kind
	if err := os.MkdirAll(filepath.Join(folder, group), 0o755); err != nil { //nolint:gosec // public files
		return fmt.Errorf("make the folder: %w", err)
	}
	for _, version := range crd.Spec.Versions {
		if !version.Served {
			continue
		}
		schema := closed(version.Schema.OpenAPI)
		schema["$schema"] = "http://json-schema.org/draft-07/schema#"
		properties := schema["properties"].(map[string]any)
		properties["apiVersion"].(map[string]any)["const"] = group + "/" + version.Name
		properties["kind"].(map[string]any)["const"] = kind
		schema["required"] = []string{"apiVersion", "kind", "metadata", "spec"}
		text, err := json.MarshalIndent(schema, "", "  ")
		if err != nil {
			return fmt.Errorf("encode the schema: %w", err)
		}
		target := filepath.Join(folder, group, strings.ToLower(kind)+"_"+version.Name+".json")
		if err := os.WriteFile(target, append(text, '\n'), 0o644); err != nil { //nolint:gosec // a public file
			return fmt.Errorf("write the schema: %w", err)
		}
	}
	return nil
}

// closed returns a schema without Kubernetes' own keywords, in which unknown properties are errors. A property may have the name of a keyword.
func closed(schema map[string]any) map[string]any {
	result := map[string]any{}
	for keyword, value := range schema {
		switch inner := value.(type) {
		case map[string]any:
			if keyword == "properties" {
				value = each(inner)
			} else if keyword != "default" {
				value = closed(inner)
			}
		case []any:
			value = list(keyword, inner)
		}
		if !strings.HasPrefix(keyword, "x-kubernetes-") {
			result[keyword] = value
		}
	}
	if _, has := schema["properties"]; has && schema["additionalProperties"] == nil && schema["x-kubernetes-preserve-unknown-fields"] != true {
		result["additionalProperties"] = false
	}
	if schema["x-kubernetes-int-or-string"] == true {
		result["type"] = []string{"integer", "string"}
	}
	return result
}

func each(properties map[string]any) map[string]any {
	result := map[string]any{}
	for name, property := range properties {
		result[name] = closed(property.(map[string]any))
	}
	return result
}

// list converts a list of schemas if the keyword has one, and returns any other list as it is.
func list(keyword string, values []any) []any {
	if keyword != "allOf" && keyword != "anyOf" && keyword != "oneOf" {
		return values
	}
	var result []any
	for _, value := range values {
		result = append(result, closed(value.(map[string]any)))
	}
	return result
}
