// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/operator-framework/api/pkg/manifests"
	"github.com/operator-framework/api/pkg/operators/v1alpha1"
	"github.com/operator-framework/api/pkg/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// labels are the labels of the bundle's image and metadata.
var labels = [][2]string{
	{"operators.operatorframework.io.bundle.mediatype.v1", "registry+v1"},
	{"operators.operatorframework.io.bundle.manifests.v1", "manifests/"},
	{"operators.operatorframework.io.bundle.metadata.v1", "metadata/"},
	{"operators.operatorframework.io.bundle.package.v1", name},
	{"operators.operatorframework.io.bundle.channels.v1", "candidate-v0"},
	{"operators.operatorframework.io.bundle.channel.default.v1", "candidate-v0"},
}

// write writes a bundle: the CSV, and the manifests that a CSV cannot express. A NetworkPolicy is left out, because older OLMs refuse it.
func write(folder string, csv *v1alpha1.ClusterServiceVersion, objects []*unstructured.Unstructured) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	annotations := map[string]string{}
	dockerfile := []string{"FROM scratch"}
	for _, label := range labels {
		annotations[label[0]] = label[1]
		dockerfile = append(dockerfile, "LABEL "+label[0]+"="+label[1])
	}
	dockerfile = append(dockerfile, "COPY manifests /manifests/", "COPY metadata /metadata/", "")
	files := map[string]any{
		"manifests/" + name + ".clusterserviceversion.yaml": csv,
		"metadata/annotations.yaml":                         map[string]any{"annotations": annotations},
	}
	bound, err := boundRoles(objects)
	if err != nil {
		return err
	}
	for _, object := range objects {
		switch kind := object.GetKind(); {
		case kind == "CustomResourceDefinition", kind == "Service", kind == "ClusterRole" && !bound[object.GetName()]:
			unstructured.RemoveNestedField(object.Object, "metadata", "namespace")
			files["manifests/"+object.GetName()+"_"+strings.ToLower(kind)+".yaml"] = object.Object
		}
	}
	for file, content := range files {
		text, err := yaml.Marshal(content)
		if err != nil {
			return fmt.Errorf("encode %s: %w", file, err)
		}
		if err := save(filepath.Join(folder, file), text); err != nil {
			return err
		}
	}
	return save(filepath.Join(folder, "bundle.Dockerfile"), []byte(strings.Join(dockerfile, "\n")))
}

func save(file string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o644)
}

// boundRoles returns the ClusterRoles that a binding names. The others are for users.
func boundRoles(objects []*unstructured.Unstructured) (map[string]bool, error) {
	bound := map[string]bool{}
	for _, object := range objects {
		if !strings.HasSuffix(object.GetKind(), "RoleBinding") {
			continue
		}
		role, _, err := unstructured.NestedString(object.Object, "roleRef", "name")
		if err != nil {
			return nil, err
		}
		bound[role] = true
	}
	return bound, nil
}

// validate fails if Operator Framework's library finds an error, and prints warnings.
func validate(folder string) error {
	bundle, err := manifests.GetBundleFromDir(folder)
	if err != nil {
		return fmt.Errorf("read the bundle: %w", err)
	}
	validators := validation.DefaultBundleValidators.WithValidators(
		validation.OperatorHubV2Validator, validation.StandardCapabilitiesValidator, validation.StandardCategoriesValidator,
		validation.ObjectValidator, validation.AlphaDeprecatedAPIsValidator, validation.GoodPracticesValidator,
	)
	var errs []error
	for _, result := range validators.Validate(bundle.ObjectsToValidate()...) {
		for _, problem := range result.Errors {
			errs = append(errs, problem)
		}
		for _, warning := range result.Warnings {
			fmt.Fprintln(os.Stderr, "olm:", warning)
		}
	}
	return errors.Join(errs...)
}
