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

// outside runs the others in new namespaces and removes what they leave behind: nothing but control groups and mount points.
func outside(ctx context.Context, o options) (code int, err error) {
	if err := missing(ctx); err != nil {
		return 1, err
	}
	if err := os.MkdirAll(o.logs, 0o750); err != nil {
		return 1, fmt.Errorf("make the folder for logs: %w", err)
	}
	lock, err := onlyOne(ctx)
	if err != nil {
		return 1, err
	}
	defer func() { _ = lock.Close() }() // only the lock is given up
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

// onlyOne waits until no other cluster is there: two would share the mount points, and one of them would remove them. The lock ends with
// the process, and needs no file of its own.
func onlyOne(ctx context.Context) (*os.File, error) {
	folder, err := os.Open(filepath.Dir(mountPoints()[0]))
	if err != nil {
		return nil, fmt.Errorf("open what to lock: %w", err)
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for told := false; ; told = true {
		// Not a call that blocks: Ctrl-C would not end it.
		if syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return folder, nil
		}
		if !told {
			say("waiting until another cluster on this machine has gone")
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), folder.Close())
		case <-ticker.C:
		}
	}
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

// removeMountPoints removes folders that makeMountPoints made. One that is gone, or that another program has filled meanwhile (a kubelet of the machine's
// own, say), is no failure of what was run: nothing of ours is in it.
func removeMountPoints(folders []string) error {
	var errs []error
	for _, folder := range folders {
		err := os.Remove(folder)
		switch {
		case errors.Is(err, syscall.ENOTEMPTY):
			say("%s is left: another program has put something into it", folder)
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			errs = append(errs, fmt.Errorf("remove a mount point: %w", err))
		}
	}
	return errors.Join(errs...)
}

// missing says all that this machine lacks, at once.
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
