// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"
)

// TestVersionNeedsNoCluster: the version can be printed without a cluster.
func TestVersionNeedsNoCluster(t *testing.T) {
	if os.Getenv("RUN_MAIN") != "" {
		os.Args = []string{"manager", "--version"}
		main()
		os.Exit(0)
	}
	command := exec.Command(os.Args[0], "-test.run=^TestVersionNeedsNoCluster$")
	command.Env = append(os.Environ(), "RUN_MAIN=1", "KUBECONFIG=/nowhere")
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if got := stdout.String(); got != version+"\n" {
		t.Errorf("printed %q, want %q", got, version+"\n")
	}
}
