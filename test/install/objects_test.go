// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// objects returns the objects of a stream of manifests, by kind, namespace and name.
func objects(t *testing.T, manifests string) map[string]*unstructured.Unstructured {
	t.Helper()
	found := map[string]*unstructured.Unstructured{}
	documents := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifests)))
	for {
		text, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return found
		}
		object := &unstructured.Unstructured{}
		if err == nil {
			err = yaml.Unmarshal(text, &object.Object)
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) == 0 {
			continue
		}
		for _, object := range flattened(t, object) {
			name := nameOf(object)
			if found[name] != nil {
				t.Errorf("%s exists twice", name)
			}
			found[name] = object
		}
	}
}

// flattened returns the items of a list, and any other object alone.
func flattened(t *testing.T, object *unstructured.Unstructured) []*unstructured.Unstructured {
	t.Helper()
	if !object.IsList() {
		return []*unstructured.Unstructured{object}
	}
	list, err := object.ToList()
	if err != nil {
		t.Fatal(err)
	}
	var items []*unstructured.Unstructured
	for i := range list.Items {
		items = append(items, &list.Items[i])
	}
	return items
}

func nameOf(object *unstructured.Unstructured) string {
	return object.GetKind() + " " + strings.TrimPrefix(object.GetNamespace()+"/"+object.GetName(), "/")
}

// as converts an object to a Kubernetes type, and fails on fields that the type does not have.
func as[T any](t *testing.T, objects map[string]*unstructured.Unstructured, name string) *T {
	t.Helper()
	object := objects[name]
	if object == nil {
		t.Fatalf("there is no %s", name)
	}
	typed := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(object.Object, typed, true); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return typed
}
