// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"fmt"
	"path/filepath"
)

// ModuleRoot returns the folder of go.mod.
func ModuleRoot(ctx context.Context) (string, error) {
	mod, err := Output(Command(ctx, ".", "go", "env", "GOMOD"))
	if err != nil {
		return "", err
	}
	return filepath.Dir(mod), nil
}

// Assets returns the folder with etcd, kube-apiserver and kubectl. If there is none yet they are fetched or built, which may take minutes.
func Assets(ctx context.Context, root string) (string, error) {
	assets, err := Output(Command(ctx, root, "hack/envtest/assets.sh"))
	if err != nil {
		return "", fmt.Errorf("get etcd and kube-apiserver: %w", err)
	}
	return assets, nil
}

// BuildManager builds the manager into a folder and returns the file.
func BuildManager(ctx context.Context, root, folder string) (string, error) {
	binary := filepath.Join(folder, "manager")
	if _, err := Output(Command(ctx, root, "go", "build", "-o", binary, "./cmd/manager")); err != nil {
		return "", fmt.Errorf("build the manager: %w", err)
	}
	return binary, nil
}
