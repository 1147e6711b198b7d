// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

const lease = `apiVersion: coordination.k8s.io/v1
kind: Lease
metadata: {name: cdp-credential-operator, namespace: cdp-credential-operator-system}
spec: {holderIdentity: pod-1, leaseDurationSeconds: 15, renewTime: "TIME"}
`

// TestHelmTestChecksTheRelease does what the pod of `helm test` does, with the rights of its ServiceAccount: it fails while the operator does not
// run, and passes once it does. The pod is admitted under restricted Pod Security; test/e2e runs it.
func TestHelmTestChecksTheRelease(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	plugin := filepath.Join(r.Temp, "kubectl-cdpcred")
	if _, err := framework.Output(framework.Command(t.Context(), root(t), "go", "build", "-o", plugin, "./cmd/kubectl-cdpcred")); err != nil {
		t.Fatal(err)
	}
	r.sh("kubectl create namespace cdp-credential-operator-system && kubectl label namespace cdp-credential-operator-system pod-security.kubernetes.io/enforce=restricted")
	r.sh("helm install" + helmed + image)
	r.sh("kubectl wait --for=condition=Established --timeout=1m " + crd)
	hooks := r.sh("helm get hooks cdp-credential-operator -n cdp-credential-operator-system")
	r.apply(hooks)
	pod := as[corev1.Pod](t, objects(t, hooks), "Pod cdp-credential-operator-system/cdp-credential-operator-test")
	container := pod.Spec.Containers[0]
	if container.Image != "registry.example.com/cdp-credential-operator:v1.2.3" || container.Command[0] != "/kubectl-cdpcred" {
		t.Fatalf("the pod runs %s of %s", container.Command, container.Image)
	}
	kubeconfig := filepath.Join(r.Temp, "test.kubeconfig")
	token := r.sh("kubectl create token -n cdp-credential-operator-system " + pod.Spec.ServiceAccountName)
	if err := r.WriteKubeconfig(kubeconfig, &clientcmdapi.AuthInfo{Token: token}, namespace); err != nil {
		t.Fatal(err)
	}
	check := func() (string, error) {
		out, err := exec.CommandContext(t.Context(), plugin, append(container.Command[1:], "--kubeconfig="+kubeconfig)...).CombinedOutput()
		return string(out), err
	}

	out, err := check()
	if err == nil || !strings.Contains(out, "0 of 1 replicas are ready") || !strings.Contains(out, "no Lease of the operator") {
		t.Errorf("without the operator: %v\n%s", err, out)
	}
	r.sh(`kubectl patch --subresource=status --type=merge ` + manager + ` -p '{"status": {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}}'`)
	r.apply(strings.Replace(lease, "TIME", r.sh("date -u +%Y-%m-%dT%H:%M:%S.000000Z"), 1))
	out, err = check()
	if err != nil {
		t.Errorf("with the operator: %v\n%s", err, out)
	}
	for _, line := range []string{"ok       CRD", "ok       operator\n", "ok       leader ", "ok       rights of\n", "skipped  admission", "skipped  objects"} {
		if !strings.Contains(out, line) {
			t.Errorf("no line begins with %q:\n%s", line, out)
		}
	}
	r.sh("kubectl delete clusterrolebinding cdp-credential-operator-manager-rolebinding")
	if out, err = check(); err == nil || !strings.Contains(out, "it may not") {
		t.Errorf("without the operator's rights: %v\n%s", err, out)
	}
}
