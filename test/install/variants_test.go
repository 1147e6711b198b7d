// SPDX-License-Identifier: Apache-2.0

package install

import (
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// TestReplicasAreSpreadAndElectALeader: with several replicas, one is active, a drained node evicts one at a time, and no node has two if possible.
func TestReplicasAreSpreadAndElectALeader(t *testing.T) {
	t.Parallel()
	rendered := objects(t, template(t, "--set=replicas=3"))
	deployment := as[appsv1.Deployment](t, rendered, "Deployment "+namespace+"/"+release+"-controller-manager")
	if *deployment.Spec.Replicas != 3 || !slices.Contains(argsOf(deployment), "--leader-elect") {
		t.Errorf("%d replicas with %q", *deployment.Spec.Replicas, argsOf(deployment))
	}
	selector := map[string]string{
		"control-plane": "controller-manager", "app.kubernetes.io/name": "cdp-credential-operator", "app.kubernetes.io/instance": release,
	}
	budget := as[policyv1.PodDisruptionBudget](t, rendered, "PodDisruptionBudget "+namespace+"/"+release+"-controller-manager")
	spread := deployment.Spec.Template.Spec.TopologySpreadConstraints
	if len(spread) != 1 || spread[0].TopologyKey != "kubernetes.io/hostname" || spread[0].MaxSkew != 1 || spread[0].WhenUnsatisfiable != "ScheduleAnyway" {
		t.Fatalf("spread is %+v", spread)
	}
	for what, got := range map[string]map[string]string{
		"the budget's selector":     budget.Spec.Selector.MatchLabels,
		"the Deployment's selector": deployment.Spec.Selector.MatchLabels,
		"the spread's selector":     spread[0].LabelSelector.MatchLabels,
		"the pods' labels":          deployment.Spec.Template.Labels,
	} {
		if diff := cmp.Diff(selector, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	if budget.Spec.MinAvailable.IntValue() != 1 {
		t.Errorf("minAvailable is %s, want 1", budget.Spec.MinAvailable)
	}
	if one := objects(t, template(t)); one["PodDisruptionBudget "+namespace+"/"+release+"-controller-manager"] != nil {
		t.Error("a single replica has a PodDisruptionBudget, so its node could not be drained")
	}
}

// TestNamespacedRights: if namespaces are named, the only cluster-wide right is the one that metrics need.
func TestNamespacedRights(t *testing.T) {
	t.Parallel()
	rendered := objects(t, template(t, "--set=watchNamespaces={marketing,web}", "--set=rbac.userRoles=false"))
	want := as[rbacv1.ClusterRole](t, objects(t, template(t)), "ClusterRole "+release+"-manager-role").Rules
	for _, ns := range []string{"marketing", "web"} {
		role := as[rbacv1.Role](t, rendered, "Role "+ns+"/"+release+"-manager-role")
		if diff := cmp.Diff(want, role.Rules); diff != "" {
			t.Errorf("%s: %s", ns, diff)
		}
		binding := as[rbacv1.RoleBinding](t, rendered, "RoleBinding "+ns+"/"+release+"-manager-rolebinding")
		if s := binding.Subjects[0]; s.Namespace != namespace || s.Name != release+"-controller-manager" || binding.RoleRef.Kind != "Role" {
			t.Errorf("%s: %+v to %+v", ns, binding.RoleRef, s)
		}
	}
	var cluster []string
	for name, object := range rendered {
		if object.GetKind() == "ClusterRole" {
			cluster = append(cluster, name)
		}
	}
	slices.Sort(cluster)
	if diff := cmp.Diff([]string{"ClusterRole " + release + "-metrics-auth-role", "ClusterRole " + release + "-metrics-reader"}, cluster); diff != "" {
		t.Errorf("rights in the whole cluster: %s", diff)
	}
	deployment := as[appsv1.Deployment](t, rendered, "Deployment "+namespace+"/"+release+"-controller-manager")
	if !slices.Contains(argsOf(deployment), "--watch-namespaces=marketing,web") {
		t.Errorf("the flags are %q", argsOf(deployment))
	}
}

// TestRolloutRestartRights: the right to restart workloads exists only on request, and only in the named namespaces.
func TestRolloutRestartRights(t *testing.T) {
	t.Parallel()
	rendered := objects(t, template(t, "--set=watchNamespaces={marketing,web}", "--set=rolloutRestart.enabled=true"))
	rules := as[rbacv1.Role](t, rendered, "Role web/"+release+"-rollout-restart-role").Rules
	want := []rbacv1.PolicyRule{{APIGroups: []string{"apps"}, Resources: []string{"daemonsets", "deployments", "statefulsets"}, Verbs: []string{"get", "patch"}}}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("rights in a namespace: %s", diff)
	}
	as[rbacv1.RoleBinding](t, rendered, "RoleBinding marketing/"+release+"-rollout-restart-rolebinding")
	for _, values := range [][]string{nil, {"--set=watchNamespaces={marketing}"}, {"--set=watchNamespaces={marketing},rolloutRestart.enabled=true"}} {
		for name := range objects(t, template(t, values...)) {
			if strings.HasPrefix(name, "Cluster") && strings.Contains(name, "rollout") {
				t.Errorf("%v: %s exists", values, name)
			}
		}
	}
}

// TestPodRefreshRights: the right to patch pods exists only on request, in the named namespaces, and never without its policy.
func TestPodRefreshRights(t *testing.T) {
	t.Parallel()
	rendered := objects(t, template(t, "--set=watchNamespaces={marketing,web}", "--set=podRefresh.enabled=true"))
	rules := as[rbacv1.Role](t, rendered, "Role web/"+release+"-pod-refresh-role").Rules
	want := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list", "patch"}}}
	if diff := cmp.Diff(want, rules); diff != "" {
		t.Errorf("rights in a namespace: %s", diff)
	}
	as[rbacv1.RoleBinding](t, rendered, "RoleBinding marketing/"+release+"-pod-refresh-rolebinding")
	as[admissionv1.ValidatingAdmissionPolicyBinding](t, rendered, "ValidatingAdmissionPolicyBinding "+release+"-pod-refresh-policybinding")
	policy := as[admissionv1.ValidatingAdmissionPolicy](t, rendered, "ValidatingAdmissionPolicy "+release+"-pod-refresh-policy")
	account := "request.userInfo.username + ':' == 'system:serviceaccount:" + namespace + ":" + release + "-controller-manager:'"
	if got := policy.Spec.MatchConditions[0].Expression; got != account {
		t.Errorf("the policy applies to %s, want %s", got, account)
	}
	for _, values := range [][]string{nil, {"--set=watchNamespaces={marketing}"}} {
		for name := range objects(t, template(t, values...)) {
			if strings.Contains(name, "pod-refresh") {
				t.Errorf("%v: %s exists", values, name)
			}
		}
	}
}

// TestAggregateRoles: Kubernetes' own roles aggregate the roles for users, unless an administrator wants to bind those.
func TestAggregateRoles(t *testing.T) {
	t.Parallel()
	for aggregated, values := range map[bool][]string{true: nil, false: {"--set=rbac.aggregateRoles=false"}} {
		rendered := objects(t, template(t, values...))
		for role, into := range map[string]string{"admin": "admin", "editor": "edit", "viewer": "view"} {
			labels := as[rbacv1.ClusterRole](t, rendered, "ClusterRole "+release+"-cdpcredential-"+role+"-role").Labels
			if got := labels["rbac.authorization.k8s.io/aggregate-to-"+into] == "true"; got != aggregated {
				t.Errorf("%v: the %s role has the labels %v", values, role, labels)
			}
		}
	}
}

// managerFlags builds the manager and returns its flags, sorted, as its help names them.
func managerFlags(t *testing.T) (manager string, flags []string) {
	t.Helper()
	manager, err := framework.BuildManager(t.Context(), root(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	help, err := exec.CommandContext(t.Context(), manager, "--help").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range regexp.MustCompile(`(?m)^  -([a-z-]+)`).FindAllSubmatch(help, -1) {
		if name := string(flag[1]); name != "version" { // it prints the version and exits, so a Deployment cannot use it
			flags = append(flags, name)
		}
	}
	if len(flags) < 15 {
		t.Fatalf("the manager's help names only the flags %v:\n%s", flags, help)
	}
	slices.Sort(flags)
	return manager, flags
}

// TestEveryFlagHasAChartValue: each flag of the manager can be set by a value, and the manager accepts what the chart renders.
func TestEveryFlagHasAChartValue(t *testing.T) {
	t.Parallel()
	manager, flags := managerFlags(t)
	missing := map[string]bool{}
	for _, name := range flags {
		missing[name] = true
	}
	rendered := objects(t, template(t, "--values=test/install/testdata/everything.yaml"))
	args := argsOf(as[appsv1.Deployment](t, rendered, "Deployment "+namespace+"/tokens-controller-manager"))
	for _, arg := range args {
		flag, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		delete(missing, flag)
	}
	if len(missing) > 0 {
		t.Errorf("testdata/everything.yaml does not set the flags %q", slices.Sorted(maps.Keys(missing)))
	}
	// Flags are parsed in order, so everything before --help has been parsed when the help is printed.
	if out, err := exec.CommandContext(t.Context(), manager, append(args, "--help")...).CombinedOutput(); err != nil {
		t.Errorf("%q: %v\n%s", args, err, out)
	}
}

func TestEveryChartValueIsRendered(t *testing.T) {
	t.Parallel()
	rendered := objects(t, template(t, "--values=test/install/testdata/everything.yaml"))
	deployment := as[appsv1.Deployment](t, rendered, "Deployment "+namespace+"/tokens-controller-manager")
	pod := deployment.Spec.Template.Spec
	container := pod.Containers[0]
	want := []string{
		"--leader-elect", "--leader-election-namespace=leases", "--health-probe-bind-address=:9081", "--metrics-bind-address=:9443",
		"--metrics-secure=false", "--metrics-cert-path=/var/run/metrics-certificate", "--pprof-bind-address=127.0.0.1:6060",
		"--watch-namespaces=marketing,web", "--watch-selector=shard in (a,b)", "--allowed-token-hosts=auth.example.com,*.api.example.com",
		"--allowed-cidrs=10.1.2.0/24,fd00::/8", "--denied-cidrs=10.1.2.128/25", "--token-hosts-only=auth.example.com", "--ca-file=/etc/authorities/ca.crt",
		"--allowed-target-metadata=reloader.example.com/,team", "--max-concurrent-reconciles=1000000",
		"--token-endpoint-qps=0.5", "--token-endpoint-in-flight=4", "--enable-rollout-restart", "--enable-pod-refresh", "--zap-devel", "--zap-log-level=3", "--zap-encoder=console",
		"--zap-stacktrace-level=panic", "--zap-time-encoding=rfc3339nano", "--kubeconfig=/etc/manager/kubeconfig",
	}
	if diff := cmp.Diff(want, container.Args); diff != "" {
		t.Errorf("flags: %s", diff)
	}
	if want := "registry.example.com/cdp-credential-operator@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"; container.Image != want {
		t.Errorf("the image is %s", container.Image)
	}
	env := map[string]string{}
	for _, e := range container.Env {
		env[e.Name] = e.Value
	}
	wantEnv := map[string]string{"POD_NAMESPACE": "", "GOGC": "30", "GOMEMLIMIT": "1843MiB", "HTTPS_PROXY": "http://proxy.example.com:3128", "NO_PROXY": "10.96.0.1"}
	if diff := cmp.Diff(wantEnv, env); diff != "" {
		t.Errorf("environment: %s", diff)
	}
	mounted := map[string]string{}
	for _, mount := range container.VolumeMounts {
		for _, volume := range pod.Volumes {
			if volume.Name == mount.Name && volume.Secret != nil {
				mounted[mount.MountPath] = volume.Secret.SecretName
			}
		}
	}
	if diff := cmp.Diff(map[string]string{"/var/run/metrics-certificate": "metrics-certificate", "/etc/manager": "manager-kubeconfig"}, mounted); diff != "" {
		t.Errorf("mounted Secrets: %s", diff)
	}
	if spread := pod.TopologySpreadConstraints; len(spread) != 2 || spread[0].LabelSelector.MatchLabels["control-plane"] != "controller-manager" ||
		spread[1].LabelSelector.MatchLabels["a"] != "b" {
		t.Errorf("spread is %+v", spread)
	}
	if len(pod.Tolerations) != 1 || pod.Affinity.NodeAffinity == nil || pod.NodeSelector["kubernetes.io/os"] != "linux" ||
		pod.PriorityClassName != "system-cluster-critical" || *pod.TerminationGracePeriodSeconds != 60 || pod.ImagePullSecrets[0].Name != "registry" {
		t.Errorf("the pod is %+v", pod)
	}
	if labels := deployment.Spec.Template.Labels; labels["example.com/zone"] != "a" || labels["team"] != "platform" {
		t.Errorf("the pods' labels are %v", labels)
	}
	if deployment.Spec.Template.Annotations["example.com/scrape"] != "false" || deployment.Annotations["example.com/owner"] != "platform" {
		t.Errorf("annotations of Deployment and pods: %v, %v", deployment.Annotations, deployment.Spec.Template.Annotations)
	}
	if account := as[corev1.ServiceAccount](t, rendered, "ServiceAccount "+namespace+"/tokens-controller-manager"); account.Annotations["example.com/role"] != "tokens" {
		t.Errorf("the account's annotations are %v", account.Annotations)
	}
	as[rbacv1.Role](t, rendered, "Role leases/tokens-leader-election-role")
	for name, object := range rendered {
		if object.GetKind() != "CustomResourceDefinition" && object.GetLabels()["team"] != "platform" {
			t.Errorf("%s lacks the common label", name)
		}
		if len(object.GetName()) > 63 {
			t.Errorf("the name %s is too long", name)
		}
	}
}

// TestChartWithEverythingOffIsADeployment: with everything turned off, only the Deployment is left.
func TestChartWithEverythingOffIsADeployment(t *testing.T) {
	t.Parallel()
	rendered := objects(t, template(t, "--values=test/install/testdata/nothing.yaml"))
	if len(rendered) != 1 {
		t.Errorf("rendered: %q", slices.Sorted(maps.Keys(rendered)))
	}
	deployment := as[appsv1.Deployment](t, rendered, "Deployment "+namespace+"/"+release+"-controller-manager")
	if diff := cmp.Diff([]string{"--health-probe-bind-address=:8081", "--metrics-bind-address=0"}, argsOf(deployment)); diff != "" {
		t.Error(diff)
	}
	if pod := deployment.Spec.Template.Spec; pod.ServiceAccountName != "tokens" || len(pod.Containers[0].Env) != 1 {
		t.Errorf("the pod is %+v", pod)
	}
}

// TestLongReleaseName: long names of releases result in names that Kubernetes accepts.
func TestLongReleaseName(t *testing.T) {
	t.Parallel()
	out, err := run(t, helm, "template", strings.Repeat("long-", 10)+"rel", chart, "--kube-version=1.37.0", "--set=image.tag=v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	for name, object := range objects(t, out) {
		if len(object.GetName()) > 63 {
			t.Errorf("%s has %d characters", name, len(object.GetName()))
		}
	}
}

func argsOf(deployment *appsv1.Deployment) []string {
	return deployment.Spec.Template.Spec.Containers[0].Args
}
