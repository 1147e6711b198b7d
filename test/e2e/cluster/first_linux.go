// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// state is the folder of all the cluster's files: in memory, and gone with the mount namespace.
const state = "/run/cdp-e2e"

// nodeAddress is the address of the node. Nothing can clash with it, because the network is isolated.
const nodeAddress = "192.168.77.1"

// first is process 1 of the PID namespace: it sets up the namespaces and reaps orphans, of which a container runtime has many.
func first(ctx context.Context, o options) (int, error) {
	if err := furnish(ctx); err != nil {
		return 1, err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", o.args(rolePlay)...) //nolint:gosec // this program itself
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("start the cluster: %w", err)
	}
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1, fmt.Errorf("wait for the cluster: %w", err)
		case ended == cmd.Process.Pid && status.Signaled():
			return 1, fmt.Errorf("the cluster's process was killed: %s", status.Signal())
		case ended == cmd.Process.Pid:
			return status.ExitStatus(), nil
		}
	}
}

func furnish(ctx context.Context) error {
	// Mounts from here on are not visible outside; kubelet's mounts are visible to containerd and vice versa.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the mounts private: %w", err)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share the mounts: %w", err)
	}
	// kubelet insists on linking the pods' logs in /var/log; containerd, runc and the plugins meet in /run.
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	for _, folder := range append(mountPoints(), "/run", "/var/log") {
		if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "mode=755"); err != nil {
			return fmt.Errorf("mount %s: %w", folder, err)
		}
	}
	if err := os.MkdirAll(state, 0o755); err != nil { //nolint:gosec // pods' users go through it
		return err
	}
	if err := fixKernelSettings(); err != nil {
		return err
	}
	return makeNetwork(ctx)
}

// fixKernelSettings shows kubelet the kernel settings that it expects, so that it does not change those of the machine.
func fixKernelSettings() error {
	for setting, value := range map[string]string{
		"vm/overcommit_memory":      "1",
		"vm/panic_on_oom":           "0",
		"kernel/panic":              "10",
		"kernel/panic_on_oops":      "1",
		"kernel/keys/root_maxkeys":  "1000000",
		"kernel/keys/root_maxbytes": "25000000",
	} {
		shown := filepath.Join(state, "sysctl", setting)
		if err := os.MkdirAll(filepath.Dir(shown), 0o755); err != nil { //nolint:gosec // as in /proc
			return err
		}
		if err := os.WriteFile(shown, []byte(value+"\n"), 0o644); err != nil { //nolint:gosec // as in /proc
			return err
		}
		if err := syscall.Mount(shown, filepath.Join("/proc/sys", setting), "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("override the kernel setting %s: %w", setting, err)
		}
	}
	return nil
}

// makeNetwork gives the node an address that is not loopback, on an isolated bridge, and the default route without which kube-apiserver does not find
// its own address.
func makeNetwork(ctx context.Context) error {
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"link", "add", "node0", "type", "bridge"},
		{"address", "add", nodeAddress + "/24", "dev", "node0"},
		{"link", "set", "node0", "up"},
		{"route", "add", "default", "dev", "node0"},
	} {
		out, err := exec.CommandContext(ctx, "ip", args...).CombinedOutput() //nolint:gosec // the words above
		if err != nil {
			return fmt.Errorf("run ip %q: %w: %s", args, err, out)
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0); err != nil {
		return fmt.Errorf("forward packets between pods: %w", err)
	}
	return nil
}
