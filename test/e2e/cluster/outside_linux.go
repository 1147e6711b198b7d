package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

const ownNamespaces = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// outside runs the others in new namespaces and removes what they leave behind: nothing but control groups and empty folders.
func outside(ctx context.Context, o options) (code int, err error) {
	if err := missing(); err != nil {
		return 1, err
	}
	if err := os.MkdirAll(o.logs, 0o750); err != nil {
		return 1, fmt.Errorf("make the folder for logs: %w", err)
	}
	hierarchies, err := cgroupHierarchies()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, removeCgroup(hierarchies, o.cgroup)) }()
	if err := makeCgroup(hierarchies, o.cgroup); err != nil {
		return 1, err
	}
	made, err := makeMountPoints()
	defer func() { err = errors.Join(err, removeAll(made)) }()
	if err != nil {
		return 1, err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", o.args(roleFirst)...) //nolint:gosec // this program itself
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// Setpgid: Ctrl-C is for this process, which ends the others by killing the first of them, and with it the kernel all.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: ownNamespaces,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true,
	}
	runtime.LockOSThread() // Pdeathsig is sent when the thread ends that made the process
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("make namespaces for the cluster: %w", err)
	}
	code, err = exitCode(cmd.Wait())
	if ctx.Err() != nil {
		return 1, fmt.Errorf("stopped before the command ended: %w", context.Cause(ctx))
	}
	return code, err
}

// mountPoints are folders in which kubelet and the CNI library insist on keeping things. first mounts empty ones over them.
func mountPoints() []string { return []string{"/var/lib/cni", "/var/lib/kubelet"} }

// makeMountPoints returns those that there were not before.
func makeMountPoints() ([]string, error) {
	var made []string
	for _, folder := range mountPoints() {
		err := os.Mkdir(folder, 0o755) //nolint:gosec // as they are everywhere
		switch {
		case errors.Is(err, fs.ErrExist):
		case err != nil:
			return made, fmt.Errorf("make a mount point: %w", err)
		default:
			made = append(made, folder)
		}
	}
	return made, nil
}

// removeAll removes folders, which are empty.
func removeAll(folders []string) error {
	var errs []error
	for _, folder := range folders {
		errs = append(errs, os.Remove(folder))
	}
	return errors.Join(errs...)
}

// missing says all that this machine lacks, at once.
func missing() error {
	var lacks []string
	if os.Geteuid() != 0 {
		lacks = append(lacks, "root's rights (namespaces, mounts, control groups)")
	}
	for _, program := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			lacks = append(lacks, fmt.Sprintf("%s in PATH (Debian: apt-get install iproute2 nftables)", program))
		}
	}
	if _, err := cgroupHierarchies(); err != nil {
		lacks = append(lacks, err.Error())
	}
	if os.Geteuid() == 0 {
		probe := exec.CommandContext(context.Background(), "/proc/self/exe", "-help")
		probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: ownNamespaces}
		if err := probe.Start(); err != nil {
			lacks = append(lacks, fmt.Sprintf("the right to make namespaces: %v", err))
		} else {
			_ = probe.Wait() // it has nothing to say
		}
	}
	if len(lacks) > 0 {
		return fmt.Errorf("a cluster of our own needs what this machine lacks:\n  - %s\n"+
			"set E2E_KUBECONFIG to use a cluster that you have (see CONTRIBUTING.md)", strings.Join(lacks, "\n  - "))
	}
	return nil
}
