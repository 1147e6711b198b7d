// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ticks is the number of clock ticks per second in /proc; Linux reports 100 whatever it uses internally.
const ticks = 100

// cpu returns the CPU time that a process has used, in seconds.
func cpu(pid int) (float64, error) {
	fields, err := statOf(pid)
	if err != nil {
		return 0, err
	}
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, fmt.Errorf("parse the CPU time of process %d: %w", pid, err)
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	if err != nil {
		return 0, fmt.Errorf("parse the CPU time of process %d: %w", pid, err)
	}
	return (user + system) / ticks, nil
}

// statOf returns the fields of /proc/PID/stat after the command name, which may contain spaces.
func statOf(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("look at a process: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return nil, fmt.Errorf("look at process %d: its stat has %d fields", pid, len(fields))
	}
	return fields, nil
}

// peak returns the maximum resident memory of a process so far, in bytes.
func peak(pid int) (float64, error) { return statusOf(pid, "VmHWM") }

// resident returns its resident memory now.
func resident(pid int) (float64, error) { return statusOf(pid, "VmRSS") }

func statusOf(pid int, key string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("look at a process: %w", err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, ok := strings.CutPrefix(line, key+":"); ok {
			kilobytes, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
			return kilobytes * 1024, err
		}
	}
	return 0, fmt.Errorf("look at process %d: it has no %s", pid, key)
}

// childrenOf finds the children of this process by the names of their programs.
func childrenOf(names ...string) (map[string]int, error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	found := map[string]int{}
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil {
			continue
		}
		fields, err := statOf(pid)
		if err != nil || fields[1] != strconv.Itoa(os.Getpid()) {
			continue // it has ended meanwhile, or is not a child
		}
		program, err := os.Readlink(filepath.Join(folder, "exe"))
		if err != nil {
			continue
		}
		for _, name := range names {
			if filepath.Base(program) == name {
				found[name] = pid
			}
		}
	}
	for _, name := range names {
		if found[name] == 0 {
			return nil, fmt.Errorf("no process of %s found", name)
		}
	}
	return found, nil
}
