package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// systemNamespace is that of the operator's ServiceAccount.
const systemNamespace = "cdp-credential-operator-system"

// managerKubeconfig applies config/rbac and returns a kubeconfig of the ServiceAccount that it binds the operator's role to: what a
// Deployment would run with.
func (c cluster) managerKubeconfig(ctx context.Context) (string, error) {
	folder, err := c.overlay("config/rbac", "rbac", systemNamespace, nil)
	if err != nil {
		return "", err
	}
	if _, err := c.kubectl(ctx, "apply", "-k", folder); err != nil {
		return "", fmt.Errorf("apply config/rbac: %w", err)
	}
	token, err := c.kubectl(ctx, "create", "token", "controller-manager", "--namespace", systemNamespace, "--duration", "24h")
	if err != nil {
		return "", fmt.Errorf("get a token of the ServiceAccount: %w", err)
	}
	path := filepath.Join(c.temp, "manager.kubeconfig")
	return path, c.writeKubeconfig(path, &clientcmdapi.AuthInfo{Token: token}, systemNamespace)
}

// overlay copies a folder of manifests into the temporary folder, as kustomize takes nothing from outside its root, and puts an overlay
// with a namespace and patches on top. It returns the overlay's folder.
func (c cluster) overlay(source, name, namespace string, patches map[string]any) (string, error) {
	base, folder := filepath.Join(c.temp, name+"-base"), filepath.Join(c.temp, name)
	if err := os.CopyFS(base, os.DirFS(filepath.Join(c.root, source))); err != nil {
		return "", fmt.Errorf("copy %s: %w", source, err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", fmt.Errorf("make the overlay: %w", err)
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
