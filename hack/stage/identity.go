package stage

import (
	"context"
	"fmt"
	"path/filepath"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// SystemNamespace is that of the operator's ServiceAccount, and of its Lease.
const SystemNamespace = "cdp-credential-operator-system"

// ManagerKubeconfig applies config/rbac and returns a kubeconfig of the ServiceAccount that it binds the operator's role to: what a
// Deployment would run with.
func (c *Cluster) ManagerKubeconfig(ctx context.Context) (string, error) {
	token, err := c.ManagerToken(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.Temp, "manager.kubeconfig")
	return path, c.WriteKubeconfig(path, &clientcmdapi.AuthInfo{Token: token}, SystemNamespace)
}

// ManagerToken applies config/rbac and returns a token of that ServiceAccount, good for a day.
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
