// SPDX-License-Identifier: Apache-2.0

package framework

import (
	"context"
	"fmt"
	"path/filepath"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// SystemNamespace is the namespace of the operator's ServiceAccount and Lease.
const SystemNamespace = "cdp-credential-operator-system"

// ManagerKubeconfig applies config/rbac and returns a kubeconfig of the operator's ServiceAccount, as a Deployment would use it.
func (c *Cluster) ManagerKubeconfig(ctx context.Context) (string, error) {
	token, err := c.ManagerToken(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.Temp, "manager.kubeconfig")
	return path, c.WriteKubeconfig(path, &clientcmdapi.AuthInfo{Token: token}, SystemNamespace)
}

// ManagerToken applies config/rbac and returns a token of the operator's ServiceAccount, valid for a day.
func (c *Cluster) ManagerToken(ctx context.Context) (string, error) {
	folder, err := c.Overlay("config/rbac", "rbac", SystemNamespace, nil)
	if err != nil {
		return "", err
	}
	if _, err := c.Kubectl(ctx, "apply", "-k", folder); err != nil {
		return "", fmt.Errorf("apply config/rbac: %w", err)
	}
	token, err := c.Kubectl(ctx, "create", "token", "controller-manager", "--namespace", SystemNamespace, "--duration", "24h")
	if err != nil {
		return "", fmt.Errorf("get a token of the ServiceAccount: %w", err)
	}
	return token, nil
}

// AccountKubeconfig creates another ServiceAccount with the operator's role and returns a kubeconfig of it, valid for a day: for clients that are
// compared with the operator.
func (c *Cluster) AccountKubeconfig(ctx context.Context, account string) (string, error) {
	for _, args := range [][]string{
		{"create", "serviceaccount", account, "--namespace", SystemNamespace},
		{"create", "clusterrolebinding", account, "--clusterrole", "manager-role", "--serviceaccount", SystemNamespace + ":" + account},
	} {
		if _, err := c.Kubectl(ctx, args...); err != nil {
			return "", fmt.Errorf("create the ServiceAccount %s: %w", account, err)
		}
	}
	token, err := c.Kubectl(ctx, "create", "token", account, "--namespace", SystemNamespace, "--duration", "24h")
	if err != nil {
		return "", fmt.Errorf("get a token of the ServiceAccount %s: %w", account, err)
	}
	path := filepath.Join(c.Temp, account+".kubeconfig")
	return path, c.WriteKubeconfig(path, &clientcmdapi.AuthInfo{Token: token}, SystemNamespace)
}
