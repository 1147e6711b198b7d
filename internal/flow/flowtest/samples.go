// SPDX-License-Identifier: Apache-2.0

// Package flowtest gives tests a sample of every provider, those of config/samples: a new provider is tested automatically.
package flowtest

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A Sample is one file of config/samples.
type Sample struct {
	// Name is that of the file.
	Name string
	Spec v1alpha1.CDPCredentialSpec
	// Member is the JSON name of the member of spec.provider that is set, and Options are what it points to.
	Member  string
	Options any
	// Secret is what the sample's client Secret holds.
	Secret map[string]string
}

// Samples reads config/samples, in whatever folder of the module the test runs. It fails the test if a member of spec.provider has no sample.
func Samples(t testing.TB) []Sample {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(moduleRoot(t), "config/samples/cdpcredentials_v1alpha1_*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var samples []Sample
	covered := map[string]bool{}
	for _, file := range files {
		s := read(t, file)
		covered[s.Member] = true
		samples = append(samples, s)
	}
	for member := range reflect.TypeFor[v1alpha1.Provider]().Fields() {
		if name := JSONName(member); !covered[name] {
			t.Errorf("config/samples has no sample of spec.provider.%s", name)
		}
	}
	return samples
}

// JSONName is the name of a field in JSON.
func JSONName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	return name
}

func read(t testing.TB, file string) Sample {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // one of our own files
	if err != nil {
		t.Fatal(err)
	}
	s := Sample{Name: strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "cdpcredentials_v1alpha1_"), ".yaml")}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var object struct {
			Kind       string                     `json:"kind"`
			Spec       v1alpha1.CDPCredentialSpec `json:"spec"`
			StringData map[string]string          `json:"stringData"`
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		switch object.Kind {
		case "CDPCredential":
			s.Spec = object.Spec
		case "Secret":
			s.Secret = object.StringData
		}
	}
	provider := reflect.ValueOf(s.Spec.Provider)
	for member, value := range provider.Fields() {
		if !value.IsNil() {
			s.Member, s.Options = JSONName(member), value.Interface()
		}
	}
	return s
}

func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			break
		}
		dir = filepath.Dir(dir)
	}
	t.Fatalf("this test runs outside of the module: %v", err)
	return ""
}
