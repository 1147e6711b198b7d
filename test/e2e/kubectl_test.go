// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

//go:embed manifests
var manifests embed.FS

// A desk is a user's workplace: kubectl and its default namespace.
type desk struct {
	*testing.T
	namespace string
}

// with returns the same desk for a subtest.
func (d desk) with(t *testing.T) desk { return desk{t, d.namespace} }

// try runs kubectl and returns its standard output.
func (d desk) try(args ...string) (string, error) { return d.feed("", args...) }

// feed runs kubectl with standard input.
func (d desk) feed(input string, args ...string) (string, error) {
	// Not the test's context, because cleanup runs after that has ended.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "kubectl", append([]string{"--kubeconfig", kubeconfig, "--namespace", d.namespace}, args...)...)
	var stderr strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// kubectl runs kubectl and fails the test if it fails.
func (d desk) kubectl(args ...string) string {
	d.Helper()
	out, err := d.try(args...)
	if err != nil {
		d.Fatal(err)
	}
	return out
}

// apply applies one of the manifests, with $NAMES replaced.
func (d desk) apply(name string, values map[string]string) {
	d.Helper()
	content, err := manifests.ReadFile("manifests/" + name)
	if err != nil {
		d.Fatal(err)
	}
	filled := os.Expand(string(content), func(name string) string {
		if name == "$" {
			return "$"
		}
		value, ok := values[name]
		if !ok {
			d.Fatalf("$%s is not defined", name)
		}
		return value
	})
	if _, err := d.feed(filled, "apply", "--server-side", "-f", "-"); err != nil {
		d.Fatal(err)
	}
}

// wait waits until something is true, and fails with the last answer on timeout.
func (d desk) wait(most time.Duration, what string, until func() (string, bool)) {
	d.Helper()
	deadline := time.After(most)
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		last, ok := until()
		if ok {
			return
		}
		select {
		case <-deadline:
			d.Fatalf("after %s still not true: %s; the last answer: %s", most, what, last)
		case <-ticker.C:
		}
	}
}

// gone waits until an object no longer exists.
func (d desk) gone(most time.Duration, resource ...string) {
	d.Helper()
	d.wait(most, strings.Join(resource, " ")+" is gone", func() (string, bool) {
		out, err := d.try(append([]string{"get", "--ignore-not-found", "-o", "name"}, resource...)...)
		if err != nil {
			return err.Error(), false
		}
		return out, out == ""
	})
}

// newNamespace creates a namespace with a level of Pod Security, and deletes it afterwards. Security-conscious clusters use restricted.
func newNamespace(t *testing.T, name, level string) desk {
	t.Helper()
	d := desk{t, name}
	d.kubectl("create", "namespace", name)
	t.Cleanup(func() { _, _ = d.try("delete", "namespace", name, "--ignore-not-found", "--timeout=2m") })
	d.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce="+level)
	return d
}
