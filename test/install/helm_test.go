// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	sigsyaml "sigs.k8s.io/yaml"
)

const (
	image    = " --set image.repository=registry.example.com/cdp-credential-operator,image.tag=v1.2.3 "
	kube     = " --kube-version=1.37.0 "
	manager  = "deployment/cdp-credential-operator-controller-manager -n cdp-credential-operator-system"
	replicas = "kubectl get -o jsonpath={.spec.replicas} " + manager
	helmed   = " cdp-credential-operator charts/cdp-credential-operator --namespace cdp-credential-operator-system "
	// podRefresh is what podRefresh.enabled adds, which is a list in the chart.
	podRefresh = "validatingadmissionpolicy/cdp-credential-operator-pod-refresh-policy clusterrolebinding/cdp-credential-operator-pod-refresh-rolebinding"
	crd        = "crd/cdpcredentials.cdpcredentials.io"
)

// TestHelmRelease goes through the life of a release, with Helm 3 and 4: no CDPCredential is lost unless a user asks for that.
func TestHelmRelease(t *testing.T) {
	t.Parallel()
	for version, tool := range map[string]func() (string, error){"v3": helm, "v4": helm4} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			r := newReader(t)
			r.use(tool)
			if got := r.sh("helm version --short"); !strings.HasPrefix(got, version+".") {
				t.Fatalf("this is Helm %s", got)
			}
			r.liveThroughARelease()
		})
	}
}

func (r *reader) liveThroughARelease() {
	r.Helper()
	notes := r.sh("helm install" + helmed + "--create-namespace" + image)
	for _, says := range []string{
		"It runs the image registry.example.com/cdp-credential-operator:v1.2.3.", "helm test cdp-credential-operator -n cdp-credential-operator-system --logs",
	} {
		if !strings.Contains(notes, says) {
			r.Errorf("the notes do not contain %q:\n%s", says, notes)
		}
	}
	uid := r.credential()

	r.sh("helm upgrade" + helmed + image + "--set replicas=2,podRefresh.enabled=true")
	if got := r.sh(replicas); got != "2" {
		r.Errorf("after the upgrade there are %s replicas", got)
	}
	r.sh("kubectl get poddisruptionbudget -n cdp-credential-operator-system cdp-credential-operator-controller-manager")
	r.sh("kubectl get " + podRefresh)
	r.sh("helm rollback cdp-credential-operator 1 -n cdp-credential-operator-system")
	if got := r.sh(replicas); got != "1" {
		r.Errorf("after the rollback there are %s replicas", got)
	}
	r.absent("poddisruptionbudget -n cdp-credential-operator-system cdp-credential-operator-controller-manager")
	r.absent(podRefresh)
	r.keeps(uid)

	r.sh("helm uninstall cdp-credential-operator -n cdp-credential-operator-system")
	r.absent(manager)
	r.absent("clusterrole cdp-credential-operator-manager-role")
	r.keeps(uid)
	r.sh("helm install" + helmed + image)
	r.keeps(uid)

	r.sh("helm upgrade" + helmed + image + "--set crds.keep=false")
	r.keeps(uid)
	r.sh("helm uninstall cdp-credential-operator -n cdp-credential-operator-system && kubectl wait --for=delete --timeout=1m " + crd)
}

// TestHelm4TakesOver: Helm 4 takes over an installation by kubectl, with the flag that the page names, and a release of Helm 3, without one.
func TestHelm4TakesOver(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	withHelm3 := r.path
	apply, install, _ := strings.Cut(command(t, "docs/install.md", "TestInstallPage", "## From manifests to Helm"), "helm install")
	r.sh(apply)
	uid := r.credential()
	r.use(helm4)
	r.sh("helm install --force-conflicts" + install)
	r.keeps(uid)
	r.sh("helm uninstall cdp-credential-operator -n cdp-credential-operator-system")

	withHelm4 := r.path
	r.path = withHelm3
	r.sh("helm install" + helmed + image)
	r.path = withHelm4
	r.sh("helm upgrade" + helmed + image + "--set replicas=2")
	r.sh("helm rollback cdp-credential-operator 1 -n cdp-credential-operator-system")
	if got := r.sh(replicas); got != "1" {
		t.Errorf("after the rollback there are %s replicas", got)
	}
	r.keeps(uid)
}

// TestHelmUpgradesTheResourceDefinition: a release upgrades the CRD with everything else.
func TestHelmUpgradesTheResourceDefinition(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	file := filepath.Join(r.clone, chart, "files/crd.yaml")
	now, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	old := strings.ReplaceAll(string(now), "cdpcred\n", "oldcdpcred\n")
	if old == string(now) {
		t.Fatal("nothing was replaced by an older version")
	}
	if err := os.WriteFile(file, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	r.sh("helm install" + helmed + "--create-namespace" + image)
	const shortNames = "kubectl get -o jsonpath={.spec.names.shortNames} " + crd
	if got := r.sh(shortNames); got != `["oldcdpcred"]` {
		t.Fatalf("before the upgrade: %s", got)
	}
	if err := os.WriteFile(file, now, 0o600); err != nil {
		t.Fatal(err)
	}
	r.sh("helm upgrade" + helmed + image)
	if got := r.sh(shortNames); got != `["cdpcred"]` {
		t.Errorf("after the upgrade: %s", got)
	}
}

// TestChartIsAccepted: an API server accepts what the chart renders, and restricted Pod Security accepts the pods.
func TestChartIsAccepted(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for _, ns := range []string{"cdp-credential-operator-system", "marketing", "web", "leases"} {
		r.sh("kubectl create namespace " + ns + " && kubectl label namespace " + ns + " pod-security.kubernetes.io/enforce=restricted")
	}
	r.apply(anything("servicemonitors", "ServiceMonitor") + "---\n" + anything("prometheusrules", "PrometheusRule"))
	r.sh("kubectl wait --for=condition=Established --timeout=1m crd/servicemonitors.monitoring.coreos.com crd/prometheusrules.monitoring.coreos.com")
	for _, values := range []string{
		"", "--set replicas=3", "--set 'watchNamespaces={marketing,web}'", "--set serviceMonitor.enabled=true,prometheusRule.enabled=true,grafanaDashboard.enabled=true",
		"--set networkPolicy.egress.enabled=true", "--values " + filepath.Join(root(t), "test/install/testdata/everything.yaml"),
		"--values " + filepath.Join(root(t), "test/install/testdata/nothing.yaml"),
	} {
		rendered := r.sh("helm template" + helmed + kube + image + values)
		r.sh("helm template" + helmed + kube + image + values + " | kubectl apply --server-side --dry-run=server -f -")
		for _, object := range objects(t, rendered) {
			if object.GetKind() == "Deployment" {
				r.admitted(values, object)
			}
		}
	}
}

// admitted checks that a Deployment's pod is admitted, and that one with too many rights is not.
func (r *reader) admitted(values string, deployment *unstructured.Unstructured) {
	r.Helper()
	template, _, err := unstructured.NestedMap(deployment.Object, "spec", "template")
	if err != nil {
		r.Fatal(err)
	}
	metadata := template["metadata"].(map[string]any)
	metadata["name"], metadata["namespace"] = "try", deployment.GetNamespace()
	template["apiVersion"], template["kind"] = "v1", "Pod"
	if out, err := r.dryRun(template); err != nil {
		r.Errorf("with %q the pod is not admitted: %v", values, err)
	} else if strings.Contains(out, "Warning") {
		r.Errorf("with %q: %s", values, out)
	}
	if err := unstructured.SetNestedField(template, true, "spec", "hostNetwork"); err != nil {
		r.Fatal(err)
	}
	if _, err := r.dryRun(template); err == nil || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
		r.Errorf("restricted Pod Security is not enforced in %s: %v", deployment.GetNamespace(), err)
	}
}

func (r *reader) dryRun(object map[string]any) (string, error) {
	r.Helper()
	text, err := sigsyaml.Marshal(object)
	if err != nil {
		r.Fatal(err)
	}
	file := filepath.Join(r.Temp, "try.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		r.Fatal(err)
	}
	return r.try("kubectl create --dry-run=server -f " + file)
}

// anything returns a CRD that accepts every field: TestChartEqualsConfig compares the content of a ServiceMonitor with config/.
func anything(plural, kind string) string {
	return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ` + plural + `.monitoring.coreos.com}
spec:
  group: monitoring.coreos.com
  scope: Namespaced
  names: {plural: ` + plural + `, kind: ` + kind + `}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`
}
