// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const ownNamespaces = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// outside runs the other processes in new namespaces and removes what they leave behind: only cgroups and mount points.
func outside(ctx context.Context, o options) (code int, err error) {
	if err := missing(ctx); err != nil {
		return 1, err
	}
	if err := os.MkdirAll(o.logs, 0o750); err != nil {
		return 1, fmt.Errorf("create the folder for logs: %w", err)
	}
	lock, err := onlyOne(ctx)
	if err != nil {
		return 1, err
	}
	defer func() { _ = lock.Close() }() // only the lock is released
	hierarchies, err := cgroupHierarchies()
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, removeCgroup(hierarchies)) }()
	if err := makeCgroup(hierarchies); err != nil {
		return 1, err
	}
	made, err := makeMountPoints()
	defer func() { err = errors.Join(err, removeMountPoints(made)) }()
	if err != nil {
		return 1, err
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", o.args(roleFirst)...) //nolint:gosec // this program itself
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// Setpgid: Ctrl-C is meant for this process. It ends the others by killing the first of them, after which the kernel kills the rest.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: ownNamespaces,
		Pdeathsig:  syscall.SIGKILL,
		Setpgid:    true,
	}
	runtime.LockOSThread() // Pdeathsig is sent when the thread ends that started the process
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("create namespaces for the cluster: %w", err)
	}
	code, err = exitCode(cmd.Wait())
	if ctx.Err() != nil {
		return 1, fmt.Errorf("stopped before the command ended: %w", context.Cause(ctx))
	}
	return code, err
}

// onlyOne waits until there is no other cluster: two would share the mount points, and one would remove them. The lock ends with the process and
// needs no file of its own.
func onlyOne(ctx context.Context) (*os.File, error) {
	folder, err := os.Open(filepath.Dir(mountPoints()[0]))
	if err != nil {
		return nil, fmt.Errorf("open the folder to lock: %w", err)
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for told := false; ; told = true {
		// Not a blocking call, because Ctrl-C would not end it.
		if syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return folder, nil
		}
		if !told {
			say("waiting for another cluster on this machine to end")
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), folder.Close())
		case <-ticker.C:
		}
	}
}

// mountPoints are folders that kubelet and the CNI library insist on. first mounts empty ones over them.
func mountPoints() []string { return []string{"/var/lib/cni", "/var/lib/kubelet"} }

// makeMountPoints creates the mount points and returns those that did not exist before.
func makeMountPoints() ([]string, error) {
	var made []string
	for _, folder := range mountPoints() {
		err := os.Mkdir(folder, 0o755) //nolint:gosec // as they are everywhere
		switch {
		case errors.Is(err, fs.ErrExist):
		case err != nil:
			return made, fmt.Errorf("create a mount point: %w", err)
		default:
			made = append(made, folder)
		}
	}
	return made, nil
}

// removeMountPoints removes folders that makeMountPoints created. One that is gone, or that another program (such as the machine's own kubelet) has
// filled meanwhile, is no failure: nothing of ours is in it.
func removeMountPoints(folders []string) error {
	var errs []error
	for _, folder := range folders {
		err := os.Remove(folder)
		switch {
		case errors.Is(err, syscall.ENOTEMPTY):
			say("%s was not removed: another program has put something into it", folder)
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			errs = append(errs, fmt.Errorf("remove a mount point: %w", err))
		}
	}
	return errors.Join(errs...)
}

// missing reports everything that this machine lacks, at once.
func missing(ctx context.Context) error {
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
		probe := exec.CommandContext(ctx, "/proc/self/exe", "-help")
		probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: ownNamespaces}
		if err := probe.Start(); err != nil {
			lacks = append(lacks, fmt.Sprintf("the right to create namespaces: %v", err))
		} else {
			_ = probe.Wait() // its exit status does not matter
		}
	}
	if len(lacks) > 0 {
		return fmt.Errorf("a cluster of our own needs what this machine lacks:\n  - %s\n"+
			"set E2E_KUBECONFIG to use a cluster that you have (see CONTRIBUTING.md)", strings.Join(lacks, "\n  - "))
	}
	return nil
}
