// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	nodeName   = "e2e"
	pauseImage = "cdp-credential-operator-pause:e2e"
	apiServer  = "https://" + nodeAddress + ":6443"
	serviceIPs = "10.96.0.0/16"
	podIPs     = "10.244.0.0/16"
)

// play starts the cluster, runs the command and returns its exit code.
func play(ctx context.Context, o options) (int, error) {
	ctx, die := context.WithCancelCause(ctx)
	defer die(nil)
	begin := time.Now()
	kubeconfig, err := startCluster(ctx, crew{logs: o.logs, die: die}, o)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return 1, fmt.Errorf("start the cluster: %w", err)
	}
	say("node ready after %.0fs; logs are in %s", time.Since(begin).Seconds(), o.logs)
	cmd := exec.CommandContext(ctx, o.command[0], o.command[1:]...) //nolint:gosec // what the caller wants to run
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "E2E_KUBECONFIG="+kubeconfig)
	code, err := exitCode(cmd.Run())
	if cause := context.Cause(ctx); cause != nil {
		return 1, cause
	}
	if err != nil {
		return 1, fmt.Errorf("run %s: %w", o.command[0], err)
	}
	return code, nil
}

// startCluster returns an administrator's kubeconfig once the node is ready.
func startCluster(ctx context.Context, c crew, o options) (string, error) {
	kubeconfigs, err := makeIdentities()
	if err != nil {
		return "", fmt.Errorf("create certificates: %w", err)
	}
	admin := kubeconfigs["admin"]
	if err := startControlPlane(ctx, c, kubeconfigs); err != nil {
		return "", err
	}
	if err := startContainerd(ctx, c, append([]string{o.pause}, o.load...)); err != nil {
		return "", err
	}
	if err := startNode(ctx, c, kubeconfigs, o.sync); err != nil {
		return "", err
	}
	if err := wait(ctx, "the node is registered", func(ctx context.Context) error {
		return command(ctx, "kubectl", "--kubeconfig", admin, "get", "node", nodeName)
	}); err != nil {
		return "", err
	}
	err = command(ctx, "kubectl", "--kubeconfig", admin, "wait", "--for=condition=Ready", "--timeout=2m", "node", nodeName)
	return admin, err
}

// makeIdentities creates a kubeconfig for each client of the API server, with exactly the rights that Kubernetes gives it.
func makeIdentities() (map[string]string, error) {
	a, err := newAuthority(pki())
	if err != nil {
		return nil, err
	}
	// 10.96.0.1 is the first address of serviceIPs: the Service kubernetes.
	if err := a.issue("apiserver", "kube-apiserver", nil, nodeAddress, "10.96.0.1", "kubernetes.default.svc", "localhost"); err != nil {
		return nil, err
	}
	if err := a.issue("service-accounts", "the key that signs ServiceAccounts' tokens", nil); err != nil {
		return nil, err
	}
	kubeconfigs := map[string]string{}
	for file, user := range map[string]struct {
		name   string
		groups []string
	}{
		"admin":      {"admin", []string{"system:masters"}},
		"controller": {"system:kube-controller-manager", nil},
		"scheduler":  {"system:kube-scheduler", nil},
		"proxy":      {"system:kube-proxy", nil},
		"kubelet":    {"system:node:" + nodeName, []string{"system:nodes"}},
	} {
		if err := a.issue(file, user.name, user.groups); err != nil {
			return nil, err
		}
		if kubeconfigs[file], err = a.kubeconfig(file, apiServer); err != nil {
			return nil, err
		}
	}
	return kubeconfigs, nil
}

func pki(file ...string) string { return filepath.Join(append([]string{state, "pki"}, file...)...) }

func startControlPlane(ctx context.Context, c crew, kubeconfigs map[string]string) error {
	if err := c.start(ctx, "etcd", "--data-dir="+filepath.Join(state, "etcd"), "--unsafe-no-fsync",
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=default=http://127.0.0.1:2380"); err != nil {
		return err
	}
	if err := c.start(ctx, "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379",
		"--advertise-address="+nodeAddress, "--bind-address=0.0.0.0", "--secure-port=6443",
		"--tls-cert-file="+pki("apiserver.crt"), "--tls-private-key-file="+pki("apiserver.key"), "--client-ca-file="+pki("ca.crt"),
		// The node's name cannot be resolved.
		"--kubelet-client-certificate="+pki("admin.crt"), "--kubelet-client-key="+pki("admin.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-signing-key-file="+pki("service-accounts.key"),
		"--service-account-key-file="+pki("service-accounts.crt"), "--service-cluster-ip-range="+serviceIPs,
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"); err != nil {
		return err
	}
	if err := wait(ctx, "kube-apiserver is ready", func(ctx context.Context) error {
		return command(ctx, "kubectl", "--kubeconfig", kubeconfigs["admin"], "get", "--raw", "/readyz")
	}); err != nil {
		return err
	}
	if err := c.start(ctx, "kube-controller-manager", "--kubeconfig="+kubeconfigs["controller"], "--bind-address=127.0.0.1",
		"--leader-elect=false", "--use-service-account-credentials", "--root-ca-file="+pki("ca.crt"),
		"--service-account-private-key-file="+pki("service-accounts.key"), "--allocate-node-cidrs", "--cluster-cidr="+podIPs,
		"--service-cluster-ip-range="+serviceIPs, "--flex-volume-plugin-dir="+volumePlugins); err != nil {
		return err
	}
	return c.start(ctx, "kube-scheduler", "--kubeconfig="+kubeconfigs["scheduler"], "--bind-address=127.0.0.1", "--leader-elect=false")
}
