// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// rolloutRoles returns the rights that config/rollout-restart adds.
func rolloutRoles() []client.Object {
	return readRoles("../../config/rollout-restart/role.yaml", "../../config/rollout-restart/role_binding.yaml")
}

// rollingOutRoles returns those and the operator's own.
func rollingOutRoles() []client.Object { return append(operatorRoles(), rolloutRoles()...) }

// entitled returns an identity with the operator's rights and those of config/rollout-restart.
func (s *stage) entitled() *identity {
	s.Helper()
	id, err := s.grant(s.Context(), rollingOutRoles(), "rollout")
	s.must(err)
	return &id
}

// deploy creates a workload that any object may restart. It has no pods: there are no controllers and no nodes.
func (s *stage) deploy(kind v1alpha1.WorkloadKind, name string) v1alpha1.RolloutRestart {
	s.Helper()
	return s.deployAllowing("*", kind, name)
}

// deployAllowing creates a workload that these objects may restart.
func (s *stage) deployAllowing(objects string, kind v1alpha1.WorkloadKind, name string) v1alpha1.RolloutRestart {
	s.Helper()
	labels := map[string]string{"app": name}
	selector := &metav1.LabelSelector{MatchLabels: labels}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: map[string]string{"example.com/kept": "yes"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/app:1"}}},
	}
	var obj client.Object
	switch kind {
	case "StatefulSet":
		obj = &appsv1.StatefulSet{ObjectMeta: s.meta(name), Spec: appsv1.StatefulSetSpec{Selector: selector, Template: template}}
	case "DaemonSet":
		obj = &appsv1.DaemonSet{ObjectMeta: s.meta(name), Spec: appsv1.DaemonSetSpec{Selector: selector, Template: template}}
	default:
		obj = &appsv1.Deployment{ObjectMeta: s.meta(name), Spec: appsv1.DeploymentSpec{Selector: selector, Template: template}}
	}
	obj.SetAnnotations(map[string]string{"cdpcredentials.io/allow-restart": objects})
	s.must(s.Client.Create(s.Context(), obj))
	return v1alpha1.RolloutRestart{Kind: kind, Name: name}
}

// allowRestart sets the objects that may restart a Deployment.
func (s *stage) allowRestart(name, objects string) {
	s.Helper()
	patch := fmt.Sprintf(`{"metadata":{"annotations":{"cdpcredentials.io/allow-restart":%q}}}`, objects)
	s.must(s.Client.Patch(s.Context(), &appsv1.Deployment{ObjectMeta: s.meta(name)}, client.RawPatch(types.MergePatchType, []byte(patch))))
}

// restarts returns how often a workload was restarted or changed in any other way, by its generation.
func (s *stage) restarts(ref v1alpha1.RolloutRestart) int64 {
	s.Helper()
	obj := map[v1alpha1.WorkloadKind]client.Object{"Deployment": &appsv1.Deployment{}, "StatefulSet": &appsv1.StatefulSet{}, "DaemonSet": &appsv1.DaemonSet{}}[ref.Kind]
	s.must(s.Client.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: ref.Name}, obj))
	return obj.GetGeneration() - 1
}

// restarted waits until a workload was restarted n times, and fails if it was more often.
func (s *stage) restarted(ref v1alpha1.RolloutRestart, n int64) {
	s.Helper()
	s.until(90*time.Second, fmt.Sprintf("restart %d of %s %s", n, ref.Kind, ref.Name), func() error {
		if have := s.restarts(ref); have > n {
			s.Fatalf("%s %s was restarted %d times, want %d", ref.Kind, ref.Name, have, n)
		} else if have < n {
			return fmt.Errorf("it was restarted %d times", have)
		}
		return nil
	})
}

// restarting lets an object name workloads.
func restarting(refs ...v1alpha1.RolloutRestart) func(*v1alpha1.CDPCredential) {
	return func(obj *v1alpha1.CDPCredential) { obj.Spec.RolloutRestart = refs }
}

// rollouts waits until status has this for each workload: pending, a reason, or nothing.
func (c *credential) rollouts(want ...string) {
	c.Helper()
	c.until(patience, "status.rolloutRestart", func() error {
		var got []string
		for _, w := range c.object().Status.RolloutRestart {
			text := string(w.Kind) + "/" + w.Name
			if w.Pending {
				text += " pending"
			}
			got = append(got, strings.TrimSpace(text+" "+w.Reason))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("-want +got:\n%s", diff)
		}
		return nil
	})
}

// TestRolloutRestartFollowsChangedData: a workload is restarted after a change of data, only then, at most once a minute, and at no other cost.
func TestRolloutRestartFollowsChangedData(t *testing.T) {
	t.Parallel()
	s, other := newStage(t), newStage(t)
	web, elsewhere := s.deploy("Deployment", "web"), other.deploy("Deployment", "web")
	o := s.operate(assembly{identity: s.entitled(), rolloutRestart: true})
	c := s.ready("etl", restarting(web))
	c.rollouts("Deployment/web")
	c.settled()
	s.quiet("birth")

	mark := o.requests.len()
	c.request("now")
	c.waitIssued(2)
	s.restarted(web, 1)
	c.rollouts("Deployment/web")
	s.until(patience, "the event", func() error { return c.hasEvents("WorkloadRestarted", 1) })
	if diff := cmp.Diff([]string{
		"create events", "create events", "get deployments/web", "get secrets/etl-client",
		"patch cdpcredentials/etl/status", "patch cdpcredentials/etl/status", "patch deployments/web", "patch secrets/etl-token",
	}, o.requests.since(mark)); diff != "" {
		t.Errorf("a refresh with a restart made unexpected requests (-want +got):\n%s", diff)
	}
	first := s.template("web")
	if first["example.com/kept"] != "yes" {
		t.Errorf("the template lost its annotations: %v", first)
	}

	// Metadata restarts nothing.
	mark = o.requests.len()
	c.labelTarget()
	s.throughout(12*time.Second, "after a label", func() error {
		if asked := o.requests.since(mark); slices.ContainsFunc(asked, func(request string) bool { return strings.Contains(request, "deployments") }) {
			return fmt.Errorf("the operator requested %v", asked)
		}
		return nil
	})

	// A template is data: it restarts the workload, at least a minute after the previous restart.
	c.edit(func(obj *v1alpha1.CDPCredential) {
		obj.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"authorization": "Bearer {{ .token }}"}
	})
	c.rollouts("Deployment/web pending")
	s.restarted(web, 2)
	c.rollouts("Deployment/web")
	second := s.template("web")
	if apart := timeOf(t, second).Sub(timeOf(t, first)); apart < time.Minute {
		t.Errorf("two restarts were %s apart", apart)
	}
	if other.restarts(elsewhere) != 0 {
		t.Error("a workload of another namespace was restarted")
	}
	if c.issued() != 2 {
		t.Errorf("%d tokens were issued, want 2", c.issued())
	}
}

// template returns the annotations of a Deployment's pod template.
func (s *stage) template(name string) map[string]string {
	s.Helper()
	obj := &appsv1.Deployment{}
	s.must(s.Client.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, obj))
	return obj.Spec.Template.Annotations
}

func timeOf(t *testing.T, template map[string]string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, template["cdpcredentials.io/restarted-at"])
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestRolloutRestartNeedsTheWorkloadsConsent: a workload that does not name the object is not restarted and its template stays as it is; after the
// command in the message, it is restarted for what it missed.
func TestRolloutRestartNeedsTheWorkloadsConsent(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	web := s.deployAllowing("ads", "Deployment", "web")
	o := s.operate(assembly{identity: s.entitled(), rolloutRestart: true})
	c := s.ready("etl", restarting(web))
	c.rollouts("Deployment/web RolloutRestartNotAllowed")
	s.until(patience, "the Warning", func() error { return c.hasEvents("RolloutRestartNotAllowed", 1) })
	want := "Deployment web does not allow etl to restart it; whoever runs the workload allows it with: kubectl annotate deployment -n " + s.namespace +
		" web 'cdpcredentials.io/allow-restart=etl' (or adds the name to those that are there, after a comma)"
	if got := c.object().Status.RolloutRestart[0].Message; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c.settled()
	c.request("now")
	c.waitIssued(2)
	c.rollouts("Deployment/web pending RolloutRestartNotAllowed")
	s.allowRestart("web", "ads,etl")
	o.stop()
	// A new process checks at once, a running one only after minutes.
	s.operate(assembly{identity: s.entitled(), rolloutRestart: true})
	s.restarted(web, 2) // its generation counts annotations, too
	c.rollouts("Deployment/web")
	if kept := s.template("web")["example.com/kept"]; kept != "yes" {
		t.Errorf("the template lost its annotations: %q", kept)
	}
}

// TestRolloutRestartsOfTwoObjectsAreOne: two credentials that are renewed within seconds cause one restart of each workload that both name.
func TestRolloutRestartsOfTwoObjectsAreOne(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	refs := []v1alpha1.RolloutRestart{s.deploy("Deployment", "web"), s.deploy("StatefulSet", "db"), s.deploy("DaemonSet", "agent")}
	s.operate(assembly{identity: s.entitled(), rolloutRestart: true})
	all := []*credential{s.ready("etl", restarting(refs...)), s.ready("ads", restarting(refs...))}
	for _, c := range all {
		c.rollouts("Deployment/web", "StatefulSet/db", "DaemonSet/agent")
	}
	all[1].settled()
	for _, c := range all {
		c.request("now")
	}
	for _, c := range all {
		c.waitIssued(2)
	}
	for _, ref := range refs {
		s.restarted(ref, 1)
	}
	for _, c := range all {
		c.rollouts("Deployment/web", "StatefulSet/db", "DaemonSet/agent")
	}
	var dataRevisions map[string]string
	s.must(json.Unmarshal([]byte(s.template("web")["cdpcredentials.io/restarted-for"]), &dataRevisions))
	if len(dataRevisions) != 2 || dataRevisions["631fd8e1ffac93e4"] == "" || dataRevisions["788eb2efc52660fe"] == "" {
		t.Errorf("restarted for %v", dataRevisions)
	}
	for _, ref := range refs {
		s.restarted(ref, 1)
	}
	if events := all[0].countEvents("etl", "WorkloadRestarted") + all[0].countEvents("ads", "WorkloadRestarted"); events != 3 {
		t.Errorf("%d events, want one for each workload", events)
	}
}

// TestRolloutRestartOutlivesTheOperator: a restart that is due when an operator ends is made by the next one, once; one that was made is not
// repeated.
func TestRolloutRestartOutlivesTheOperator(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	web := s.deploy("Deployment", "web")
	with := assembly{identity: s.entitled(), rolloutRestart: true}
	o := s.operate(with)
	c := s.ready("etl", restarting(web))
	c.rollouts("Deployment/web")
	c.settled()
	c.request("now")
	c.waitIssued(2)
	c.rollouts("Deployment/web pending")
	o.stop()
	if n := s.restarts(web); n != 0 {
		t.Fatalf("it was restarted %d times too early", n)
	}
	o = s.operate(with)
	s.restarted(web, 1)
	c.rollouts("Deployment/web")
	o.stop()
	o = s.operate(with)
	s.quiet("restart")
	if asked := o.requests.since(0); slices.ContainsFunc(asked, func(request string) bool { return strings.Contains(request, "deployments") }) {
		t.Errorf("with no restart due, the operator requested %v", asked)
	}
	s.restarted(web, 1)
}

// TestRolloutRestartTroubleIsNotTheTokens: whatever prevents a restart is reported in status and by one Warning, and does not affect the token.
func TestRolloutRestartTroubleIsNotTheTokens(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		with func(*stage) assembly
		// allowed are the objects that the workload allows. Empty: there is no workload.
		allowed string
		// before and after are what status says about the workload before and after its data changes.
		before, after, event string
		asked                []string
	}{
		"turned off": {
			func(*stage) assembly { return assembly{} }, "etl",
			"Deployment/web RolloutRestartDisabled", "Deployment/web pending RolloutRestartDisabled", "RolloutRestartDisabled", nil,
		},
		"without the rights": {
			func(*stage) assembly { return assembly{rolloutRestart: true} }, "etl",
			"Deployment/web RolloutRestartForbidden", "Deployment/web pending RolloutRestartForbidden", "RolloutRestartForbidden",
			[]string{"get deployments/web", "get deployments/web"},
		},
		"without the workload's consent": {
			func(s *stage) assembly { return assembly{identity: s.entitled(), rolloutRestart: true} }, "ads,another",
			"Deployment/web RolloutRestartNotAllowed", "Deployment/web pending RolloutRestartNotAllowed", "RolloutRestartNotAllowed",
			[]string{"get deployments/web", "get deployments/web"},
		},
		"no such workload": {
			func(s *stage) assembly { return assembly{identity: s.entitled(), rolloutRestart: true} }, "",
			"Deployment/web", "Deployment/web WorkloadNotFound", "WorkloadNotFound",
			[]string{"get deployments/web", "get deployments/web"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			ref := v1alpha1.RolloutRestart{Kind: "Deployment", Name: "web"}
			if tc.allowed != "" {
				s.deployAllowing(tc.allowed, "Deployment", "web")
			}
			o := s.operate(tc.with(s))
			c := s.ready("etl", restarting(ref))
			c.rollouts(tc.before)
			c.settled()
			c.request("now")
			c.waitIssued(2)
			c.rollouts(tc.after)
			s.until(patience, "the Warning", func() error { return c.hasEvents(tc.event, 1) })
			c.settled()
			c.request("and again")
			c.waitIssued(3)
			var asked []string
			for _, request := range o.requests.since(0) {
				if strings.Contains(request, "deployments") {
					asked = append(asked, request)
				}
			}
			// The third token's restart may or may not have been attempted by now.
			if want := tc.asked; len(asked) < len(want) || len(asked) > len(want)+1 || want == nil && asked != nil {
				t.Errorf("the operator requested %v, want %v", asked, want)
			}
			if why := c.hasEvents(tc.event, 1); why != nil {
				t.Error(why)
			}
			if tc.allowed != "" && s.restarts(ref) != 0 {
				t.Error("it was restarted nevertheless")
			}
		})
	}
}

// TestRolloutRoleIsEnough runs the manager, with its flag, with the rights of config/rollout-restart.
func TestRolloutRoleIsEnough(t *testing.T) {
	t.Parallel()
	if err := rollingOut(newStage(t), rollingOutRoles(), "rollout-whole"); err != nil {
		t.Error(err)
	}
}

// TestRolloutRoleHasNothingToSpare removes one verb of one resource at a time from them.
func TestRolloutRoleHasNothingToSpare(t *testing.T) {
	nothingToSpare(t, rights(rolloutRoles()), rollingOutRoles, "rollout-mutant", rollingOut)
}

// TestRolloutRoleGivesNothingElse: the role allows nothing that it is not meant for.
func TestRolloutRoleGivesNothingElse(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.deploy("Deployment", "web")
	as, err := client.New(s.entitled().config, client.Options{Scheme: s.Scheme})
	s.must(err)
	web := &appsv1.Deployment{ObjectMeta: s.meta("web")}
	s.must(as.Get(t.Context(), client.ObjectKeyFromObject(web), web))
	for what, err := range map[string]error{
		"list":   as.List(t.Context(), &appsv1.DeploymentList{}, client.InNamespace(s.namespace)),
		"update": as.Update(t.Context(), web.DeepCopy()),
		"create": as.Create(t.Context(), &appsv1.Deployment{ObjectMeta: s.meta("another"), Spec: web.Spec}),
		"delete": as.Delete(t.Context(), web.DeepCopy()),
		"scale":  as.SubResource("scale").Get(t.Context(), web.DeepCopy(), &appsv1.Deployment{}),
		"pods":   as.List(t.Context(), &corev1.PodList{}, client.InNamespace(s.namespace)),
	} {
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s: %v, want Forbidden", what, err)
		}
	}
}

// rollingOut runs a manager with these roles and lets it restart a workload of each kind. It returns what did not work.
func rollingOut(s *stage, roles []client.Object, name string) error {
	s.Helper()
	s.manager = s.namespace
	id, err := s.grant(s.Context(), roles, name)
	s.must(err)
	manager, err := s.startManager(s.Context(), id, name, "--watch-selector="+managerLabel+"="+s.manager, "--allowed-cidrs="+openAddress, "--enable-rollout-restart")
	s.must(err)
	s.Cleanup(func() {
		if err := manager.stop(); err != nil {
			s.Log(err)
		}
	})
	refs := []v1alpha1.RolloutRestart{s.deploy("Deployment", "web"), s.deploy("StatefulSet", "db"), s.deploy("DaemonSet", "agent")}
	_, obj := s.prepare("etl")
	restarting(refs...)(obj)
	s.must(s.Client.Create(s.Context(), obj))
	c := &credential{stage: s, name: "etl", known: exchangetest.Client{System: exchangetest.OAuth2, ID: "etl-id"}}
	c.waitIssued(1)
	c.edit(func(obj *v1alpha1.CDPCredential) {
		obj.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"more": "{{ .clientID }}"}
	})
	return within(s.Context(), 30*time.Second, func() error {
		for _, w := range c.object().Status.RolloutRestart {
			if w.Reason != "" || w.LastRestartTime == nil {
				return fmt.Errorf("%s %s: pending %t, %s", w.Kind, w.Name, w.Pending, w.Reason)
			}
		}
		for _, ref := range refs {
			if n := s.restarts(ref); n != 1 {
				return fmt.Errorf("%s %s was restarted %d times", ref.Kind, ref.Name, n)
			}
		}
		return nil
	})
}
