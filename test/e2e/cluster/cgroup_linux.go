// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	cgroupMount = "/sys/fs/cgroup"
	podsCgroup  = "/cdp-e2e" // the cgroup of all pods, below the root of each hierarchy
)

// Magic numbers of statfs(2).
const (
	cgroup1 = 0x27e0eb
	cgroup2 = 0x63677270
)

// cgroupHierarchies returns the folders of this machine's cgroup hierarchies: one with cgroup v2, one per controller with v1.
func cgroupHierarchies() ([]string, error) {
	var mount syscall.Statfs_t
	if err := syscall.Statfs(cgroupMount, &mount); err != nil {
		return nil, fmt.Errorf("read %s: %w", cgroupMount, err)
	}
	if mount.Type == cgroup2 {
		return []string{cgroupMount}, nil
	}
	entries, err := os.ReadDir(cgroupMount)
	if err != nil {
		return nil, fmt.Errorf("list the cgroups: %w", err)
	}
	var hierarchies []string
	for _, entry := range entries {
		folder := filepath.Join(cgroupMount, entry.Name())
		// cpu and others may be links to cpu,cpuacct.
		if err := syscall.Statfs(folder, &mount); err != nil || !entry.IsDir() || (mount.Type != cgroup1 && mount.Type != cgroup2) {
			continue
		}
		hierarchies = append(hierarchies, folder)
	}
	if len(hierarchies) == 0 {
		return nil, fmt.Errorf("no cgroups are mounted below %s", cgroupMount)
	}
	return hierarchies, nil
}

// makeCgroup creates the cgroup, after removing one that a killed run left behind.
func makeCgroup(hierarchies []string) error {
	if err := removeCgroup(hierarchies); err != nil {
		return err
	}
	for _, hierarchy := range hierarchies {
		if controllers, err := os.ReadFile(filepath.Join(hierarchy, "cgroup.controllers")); err == nil { //nolint:gosec // the kernel's
			// v2: a cgroup has the controllers that its parent delegates.
			for controller := range strings.FieldsSeq(string(controllers)) {
				if err := os.WriteFile(filepath.Join(hierarchy, "cgroup.subtree_control"), []byte("+"+controller), 0); err != nil {
					return fmt.Errorf("delegate the controller %s: %w", controller, err)
				}
			}
		}
		folder := filepath.Join(hierarchy, podsCgroup)
		if err := os.Mkdir(folder, 0o755); err != nil { //nolint:gosec // as all of them are
			return fmt.Errorf("create a cgroup: %w", err)
		}
		// A new cgroup of cpuset v1 may not use anything until it is configured.
		for _, setting := range []string{"cpuset.cpus", "cpuset.mems"} {
			all, err := os.ReadFile(filepath.Join(hierarchy, setting)) //nolint:gosec // the kernel's
			if errors.Is(err, fs.ErrNotExist) {
				continue // another controller's, or the root of v2
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, setting), all, 0) //nolint:gosec // the kernel's
			}
			if err != nil {
				return fmt.Errorf("set %s of the cgroup: %w", setting, err)
			}
		}
	}
	return nil
}

// removeCgroup removes the cgroup and all below it. Its processes have been killed; the kernel may take a moment to notice.
func removeCgroup(hierarchies []string) error {
	var errs []error
	deadline := time.Now().Add(10 * time.Second)
	for _, hierarchy := range hierarchies {
		top := filepath.Join(hierarchy, podsCgroup)
		for {
			err := removeFolders(top)
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				break
			}
			if time.Now().After(deadline) {
				errs = append(errs, fmt.Errorf("remove the cgroup %s: %w", top, err))
				break
			}
			time.Sleep(50 * time.Millisecond) // there is no notification that a cgroup is empty
		}
	}
	return errors.Join(errs...)
}

// removeFolders removes a folder and the folders in it. The files of a cgroup belong to the kernel and go with it.
func removeFolders(top string) error {
	entries, err := os.ReadDir(top)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if err := removeFolders(filepath.Join(top, entry.Name())); err != nil {
			return err
		}
	}
	return syscall.Rmdir(top)
}
