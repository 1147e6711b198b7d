// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	systemNamespace = "cdp-credential-operator-system"
	manager         = "deployment/cdp-credential-operator-controller-manager"
	managerPods     = "control-plane=controller-manager"
	definition      = "customresourcedefinition/cdpcredentials.cdpcredentials.io"
)

// install installs the operator from install.yaml.
func install(t *testing.T) desk {
	t.Helper()
	return installFile(t, installer)
}

// installFile installs the operator from a file, and removes it afterwards unless that has been done.
func installFile(t *testing.T, installer string) desk {
	t.Helper()
	d := desk{t, systemNamespace}
	if out := d.kubectl("get", "--ignore-not-found", "-o", "name", definition); out != "" {
		t.Fatal("the operator is installed in this cluster; this test would remove it and every CDPCredential with it")
	}
	t.Cleanup(func() { _, _ = d.try("delete", "-f", installer, "--ignore-not-found", "--timeout=2m") })
	d.kubectl("apply", "--server-side", "-f", installer)
	d.kubectl("rollout", "status", manager, "--timeout=2m")
	if got := d.kubectl("get", "namespace", systemNamespace, "-o", `jsonpath={.metadata.labels.pod-security\.kubernetes\.io/enforce}`); got != "restricted" {
		t.Fatalf("the operator's namespace enforces %q Pod Security, want restricted", got)
	}
	if got := d.kubectl("get", "networkpolicies", "-o", "name"); !strings.Contains(got, "allow-metrics-traffic") {
		t.Fatalf("the operator's network policies are %q", got)
	}
	return d
}

// open lets the operator connect to a private address, as an administrator would, and adds a standby replica.
func (d desk) open(address string) {
	d.Helper()
	d.kubectl("patch", manager, "--type=json", "--patch",
		fmt.Sprintf(`[{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--allowed-cidrs=%s"}]`, address))
	d.kubectl("scale", manager, "--replicas=2")
	d.kubectl("rollout", "status", manager, "--timeout=3m")
}

// leader returns the pod that holds the Lease. Empty: there is none.
func (d desk) leader() string {
	d.Helper()
	holder := d.kubectl("get", "lease", "cdp-credential-operator", "--ignore-not-found", "-o", "jsonpath={.spec.holderIdentity}")
	pod, _, _ := strings.Cut(holder, "_")
	return pod
}

// failOver deletes the leader's pod and waits until the other one leads.
func (d desk) failOver() {
	d.Helper()
	old := d.leader()
	if old == "" {
		d.Fatal("there is no leader")
	}
	begin := time.Now()
	d.kubectl("delete", "pod", old, "--wait=false")
	d.wait(time.Minute, "another pod leads", func() (string, bool) {
		now := d.leader()
		return now, now != "" && now != old
	})
	d.Logf("another pod led %.1fs after the leader's was deleted", time.Since(begin).Seconds())
	d.kubectl("rollout", "status", manager, "--timeout=2m")
}

// checkHealth checks restarts and logs of the operator's pods before they are removed.
func (d desk) checkHealth(secret string) {
	d.Helper()
	restarts := d.kubectl("get", "pods", "-l", managerPods, "-o", "jsonpath={.items[*].status.containerStatuses[*].restartCount}")
	if restarts != "0 0" {
		d.Errorf("the operator's two containers were restarted %q times", restarts)
	}
	d.checkLog(secret)
}

// checkLog saves the logs of the operator's pods, and fails if they contain a client's secret or errors of the operator.
func (d desk) checkLog(secret string) {
	d.Helper()
	log := d.kubectl("logs", "-l", managerPods, "--tail=-1", "--prefix")
	if err := os.WriteFile(filepath.Join(logs, "operator.log"), []byte(log), 0o600); err != nil {
		d.Error(err)
	}
	for _, bad := range []string{secret, "panic", "forbidden: User"} {
		if strings.Contains(log, bad) {
			d.Errorf("the operator's log contains %q; see operator.log", bad)
		}
	}
}

// diagnose saves what helps to understand a failed test. Nothing in it is secret.
func (d desk) diagnose() {
	for file, args := range map[string][]string{
		"objects.txt":  {"get", "all,cdpcredentials,events,endpointslices", "--all-namespaces", "--output=wide"},
		"pods.txt":     {"describe", "nodes,pods", "--all-namespaces"},
		"operator.txt": {"logs", "-l", managerPods, "--tail=-1", "--prefix"},
	} {
		out, err := d.try(args...)
		if err != nil {
			out = err.Error()
		}
		if err := os.WriteFile(filepath.Join(logs, file), []byte(out), 0o600); err != nil {
			d.Log(err)
		}
	}
	d.Logf("the final state of the cluster is in %s", logs)
}

// names lists all objects of the cluster except events whose name contains "cdp".
func (d desk) names() []string {
	d.Helper()
	var kinds []string
	for kind := range strings.FieldsSeq(d.kubectl("api-resources", "--verbs=list", "-o", "name")) {
		if kind != "componentstatuses" && !strings.HasPrefix(kind, "events") {
			kinds = append(kinds, kind)
		}
	}
	var found []string
	for name := range strings.Lines(d.kubectl("get", strings.Join(kinds, ","), "--all-namespaces", "-o", "name")) {
		if strings.Contains(name, "cdp") {
			found = append(found, strings.TrimSpace(name))
		}
	}
	return found
}
