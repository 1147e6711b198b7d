// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"fmt"
	"os"
	"path/filepath"

	sigsyaml "sigs.k8s.io/yaml"
)

// Overlay copies a folder of manifests into the temporary folder, because kustomize reads nothing outside its root, and adds an overlay with a
// namespace and patches (by file name). It returns the overlay's folder.
func (c *Cluster) Overlay(source, name, namespace string, patches map[string]any) (string, error) {
	base, folder := filepath.Join(c.Temp, name+"-base"), filepath.Join(c.Temp, name)
	if err := os.CopyFS(base, os.DirFS(filepath.Join(c.Root, source))); err != nil {
		return "", fmt.Errorf("copy %s: %w", source, err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", fmt.Errorf("create the overlay: %w", err)
	}
	kustomization := map[string]any{"namespace": namespace, "resources": []string{"../" + filepath.Base(base), "namespace.yaml"}}
	files := map[string]any{
		"namespace.yaml": map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace}},
	}
	var paths []map[string]string
	for file, patch := range patches {
		files[file] = patch
		paths = append(paths, map[string]string{"path": file})
	}
	kustomization["patches"] = paths
	files["kustomization.yaml"] = kustomization
	for file, content := range files {
		if err := writeYAML(filepath.Join(folder, file), content); err != nil {
			return "", err
		}
	}
	return folder, nil
}

func writeYAML(path string, content any) error {
	out, err := sigsyaml.Marshal(content)
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	if err := os.WriteFile(path, out, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
