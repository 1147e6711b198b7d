// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// A play is a namespace on a clock of its own, in which the data of credentials changes and workloads are restarted. Tokens have no part in it.
type play struct {
	*testing.T
	clock *clocktesting.FakePassiveClock
	api   client.Client
	r     *CDPCredentialReconciler
	cast  map[string]*actor
	// told is what was asked of the API server for workloads, with its time.
	told []string
	// refuse makes the API server refuse requests; it is given the verb.
	refuse  func(verb string) error
	metrics *prometheus.Registry
}

// An actor is one credential between two passes.
type actor struct {
	v    *credential.State
	mem  *credential.ObjectCache
	wake time.Time
}

var web = v1alpha1.RolloutRestart{Kind: "Deployment", Name: "web"}

func newPlay(t *testing.T) *play {
	t.Helper()
	p := &play{T: t, clock: clocktesting.NewFakePassiveClock(at("11:00:00")), cast: map[string]*actor{}}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(verb string, obj client.Object) error {
		if obj.GetObjectKind().GroupVersionKind().Group != "apps" {
			return nil
		}
		p.told = append(p.told, clockText(p.clock.Now())+" "+verb+" "+obj.GetName())
		if p.refuse != nil {
			return p.refuse(verb)
		}
		return nil
	}
	p.api = fake.NewClientBuilder().WithScheme(scheme).Build()
	heard := interceptor.NewClient(p.api.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, next client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if err := hear("get", obj); err != nil {
				return err
			}
			return next.Get(ctx, key, obj, opts...)
		},
		Patch: func(ctx context.Context, next client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if err := hear("patch", obj); err != nil {
				return err
			}
			return next.Patch(ctx, obj, patch, opts...)
		},
	})
	p.metrics = prometheus.NewRegistry()
	metrics, err := telemetry.New(p.metrics)
	if err != nil {
		t.Fatal(err)
	}
	p.r = &CDPCredentialReconciler{
		Cluster: Cluster{Client: heard, Live: heard, Recorder: events.NewFakeRecorder(100)},
		Policy:  credential.Policy{RolloutRestart: true},
		Sources: Sources{Clock: p.clock, Rand: strings.NewReader("the name")},
		Metrics: metrics,
	}
	return p
}

// deploy makes a workload.
func (p *play) deploy(ref v1alpha1.RolloutRestart) {
	p.Helper()
	var obj client.Object = &appsv1.Deployment{}
	switch ref.Kind {
	case "StatefulSet":
		obj = &appsv1.StatefulSet{}
	case "DaemonSet":
		obj = &appsv1.DaemonSet{}
	}
	obj.SetNamespace("marketing")
	obj.SetName(ref.Name)
	obj.SetAnnotations(map[string]string{"cdpcredentials.io/allow-restart": "*"})
	if err := p.api.Create(p.Context(), obj); err != nil {
		p.Fatal(err)
	}
}

// enter makes a credential whose data has a data revision already; it has not been reconciled yet.
func (p *play) enter(name, dataRevision string, refs ...v1alpha1.RolloutRestart) {
	p.Helper()
	s := steady()
	s.Object.Name, s.Object.Spec.RolloutRestart, s.Object.Spec.Target.Name = name, refs, name+"-token"
	s.Target.Name = name + "-token"
	s.Target.Metadata.Annotations["cdpcredentials.io/credential"] = name
	s.Target.Persisted.Object = name
	p.cast[name] = &actor{v: s, mem: &credential.ObjectCache{}}
	if err := p.api.Create(p.Context(), s.Object.DeepCopy()); err != nil {
		p.Fatal(err)
	}
	secret := &corev1.Secret{}
	secret.Namespace, secret.Name = "marketing", s.Target.Name
	if err := p.api.Create(p.Context(), secret); err != nil {
		p.Fatal(err)
	}
	p.write(name, dataRevision)
}

// write changes the data of a credential's target.
func (p *play) write(name, dataRevision string) {
	p.Helper()
	a := p.cast[name]
	a.v.Target.Persisted.DataRevision = dataRevision
	state, err := json.Marshal(a.v.Target.Persisted)
	if err != nil {
		p.Fatal(err)
	}
	secret := &corev1.Secret{}
	if err := p.api.Get(p.Context(), client.ObjectKey{Namespace: "marketing", Name: name + "-token"}, secret); err != nil {
		p.Fatal(err)
	}
	secret.Annotations = map[string]string{"cdpcredentials.io/credential": name, "cdpcredentials.io/state": string(state)}
	if err := p.api.Update(p.Context(), secret); err != nil {
		p.Fatal(err)
	}
	a.wake = p.clock.Now()
}

// restart ends the process and starts another one: what it remembers is lost.
func (p *play) restart() {
	for _, a := range p.cast {
		a.mem, a.wake = &credential.ObjectCache{}, p.clock.Now()
	}
}

// until makes every pass that is due by then, in order.
func (p *play) until(clock string) {
	p.Helper()
	for end := at(clock); ; {
		next := ""
		for _, name := range credential.SortedKeys(p.cast) {
			if wake := p.cast[name].wake; !wake.IsZero() && !wake.After(end) && (next == "" || wake.Before(p.cast[next].wake)) {
				next = name
			}
		}
		if next == "" {
			p.clock.SetTime(end)
			return
		}
		a := p.cast[next]
		if a.wake.After(p.clock.Now()) {
			p.clock.SetTime(a.wake)
		}
		a.v.Object.Status.RolloutRestart, a.wake = p.r.sub().restarter.rollOut(p.Context(), a.v, a.mem)
	}
}

// saw compares what was asked of the API server with what is wanted, and forgets it.
func (p *play) saw(want ...string) {
	p.Helper()
	if diff := cmp.Diff(want, p.told); diff != "" {
		p.Errorf("by %s, other requests (-want +got):\n%s", clockText(p.clock.Now()), diff)
	}
	p.told = nil
}

// status is what status says of a credential's workloads, one a line.
func (p *play) status(name string) string {
	var lines []string
	for _, e := range p.cast[name].v.Object.Status.RolloutRestart {
		line := fmt.Sprintf("%s %s %s", e.Kind, e.Name, e.DataRevision)
		if e.Pending {
			line += " pending"
		}
		if e.LastRestartTime != nil {
			line += " " + clockText(e.LastRestartTime.Time)
		}
		lines = append(lines, strings.TrimSpace(line+" "+e.Reason))
	}
	return strings.Join(lines, "\n")
}

func (p *play) says(name, want string) {
	p.Helper()
	if got := p.status(name); got != want {
		p.Errorf("at %s, the status of %s is %q, want %q", clockText(p.clock.Now()), name, got, want)
	}
}

// failures returns how many failed restarts the metrics count.
func (p *play) failures() (n float64) {
	p.Helper()
	families, err := p.metrics.Gather()
	if err != nil {
		p.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, label := range m.GetLabel() {
				if f.GetName() == "cdpcredential_rollout_restarts_total" && label.GetName() == "result" && label.GetValue() == telemetry.Failure {
					n += m.GetCounter().GetValue()
				}
			}
		}
	}
	return n
}

// template is what stands on the workload's pod template.
func (p *play) template() map[string]string {
	p.Helper()
	obj := &appsv1.Deployment{}
	if err := p.api.Get(p.Context(), client.ObjectKey{Namespace: "marketing", Name: "web"}, obj); err != nil {
		p.Fatal(err)
	}
	return obj.Spec.Template.Annotations
}

// TestRestartFollowsEachChangeOnce: no restart for the first data, one for each change after that, and no request while nothing changes.
func TestRestartFollowsEachChangeOnce(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.deploy(web)
	p.enter("etl", "e1", web)
	p.until("11:10:00")
	p.saw("11:00:00 get web")
	p.says("etl", "Deployment web e1")
	p.write("etl", "e1")
	p.until("11:20:00")
	p.saw()
	p.write("etl", "e2")
	p.until("11:20:09")
	p.saw()
	p.says("etl", "Deployment web e1 pending")
	p.until("11:30:00")
	p.saw("11:20:10 get web", "11:20:10 patch web")
	p.says("etl", "Deployment web e2 11:20:10")
	want := map[string]string{"cdpcredentials.io/restarted-at": "2026-03-01T11:20:10Z", "cdpcredentials.io/restarted-for": `{"631fd8e1ffac93e4":"e2"}`}
	if diff := cmp.Diff(want, p.template()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	p.restart()
	p.until("11:40:00")
	p.saw()
}

// TestRestartReachesEachKindOfWorkload.
func TestRestartReachesEachKindOfWorkload(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	refs := []v1alpha1.RolloutRestart{{Kind: "Deployment", Name: "a"}, {Kind: "StatefulSet", Name: "b"}, {Kind: "DaemonSet", Name: "c"}}
	for _, ref := range refs {
		p.deploy(ref)
	}
	p.enter("etl", "e1", refs...)
	p.until("11:10:00")
	p.write("etl", "e2")
	p.until("11:20:00")
	p.says("etl", "Deployment a e2 11:10:10\nStatefulSet b e2 11:10:10\nDaemonSet c e2 11:10:10")
}

// TestRestartIsOneForChangesWithinSeconds: what changes within seconds makes one restart; what changes after it waits for its minute.
func TestRestartIsOneForChangesWithinSeconds(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.deploy(web)
	for _, name := range []string{"etl", "ads"} {
		p.enter(name, "e1", web)
	}
	p.enter("other", "e1")
	p.until("11:10:00")
	p.saw("11:00:00 get web", "11:00:00 get web")
	p.write("etl", "e2")
	p.until("11:10:04")
	p.write("ads", "e2")
	p.until("11:10:20")
	p.saw("11:10:10 get web", "11:10:10 patch web", "11:10:14 get web")
	p.says("ads", "Deployment web e2 11:10:10")
	if got := p.template()["cdpcredentials.io/restarted-for"]; got != `{"631fd8e1ffac93e4":"e2","788eb2efc52660fe":"e2"}` {
		t.Errorf("restarted for %s", got)
	}
	p.write("ads", "e3")
	p.until("11:10:40")
	p.write("etl", "e3")
	p.write("etl", "e4")
	p.until("11:20:00")
	p.saw("11:10:30 get web", "11:10:50 get web", "11:11:10 get web", "11:11:10 patch web", "11:11:10 get web")
	p.says("ads", "Deployment web e3 11:11:10")
	p.says("etl", "Deployment web e4 11:11:10")
}

// TestRestartIsDoneOnceDespiteACrash: what was owed is done once, and what was done is not done again.
func TestRestartIsDoneOnceDespiteACrash(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.deploy(web)
	p.enter("etl", "e1", web)
	p.until("11:10:00")
	p.write("etl", "e2")
	p.until("11:10:05")
	p.restart()
	p.until("11:20:00")
	p.saw("11:00:00 get web", "11:10:15 get web", "11:10:15 patch web")

	p.write("etl", "e3")
	p.until("11:20:05")
	before := p.cast["etl"].v.Object.Status.DeepCopy()
	p.until("11:20:30")
	p.saw("11:20:10 get web", "11:20:10 patch web")
	p.cast["etl"].v.Object.Status = *before // the status patch was lost with the process
	p.restart()
	p.until("11:30:00")
	p.saw("11:20:40 get web")
	p.says("etl", "Deployment web e3 11:20:10")
}

// TestRestartFollowsARecreatedObject: one that was deleted and made again has new data, and pods that began with the old.
func TestRestartFollowsARecreatedObject(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.deploy(web)
	p.enter("etl", "e1", web)
	p.until("11:10:00")
	p.write("etl", "e2")
	p.until("11:20:00")
	p.cast["etl"].v.Object.Status.RolloutRestart = nil
	p.restart()
	p.write("etl", "e3")
	p.told = nil
	p.until("11:30:00")
	p.saw("11:20:00 get web", "11:20:00 patch web")
}

// TestRestartTurnedOffRequestsNothing asks for nothing, says so, and owes nothing for the data that was there when it is turned on.
func TestRestartTurnedOffRequestsNothing(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.r.RolloutRestart = false
	p.deploy(web)
	p.enter("etl", "e1", web)
	p.cast["etl"].v.Target.Found = false
	p.until("11:05:00")
	p.says("etl", "Deployment web  RolloutRestartDisabled")
	p.cast["etl"].v.Target.Found = true
	p.r.RolloutRestart = true
	p.restart()
	p.until("11:10:00")
	p.saw("11:05:00 get web")
	p.says("etl", "Deployment web e1")
	p.r.RolloutRestart = false
	p.restart()
	p.until("11:10:30")
	p.says("etl", "Deployment web e1 RolloutRestartDisabled")
	p.r.RolloutRestart = true
	p.restart()
	p.until("11:10:40")
	p.says("etl", "Deployment web e1")
	p.r.RolloutRestart = false
	p.restart()
	p.until("11:11:00")
	p.write("etl", "e2")
	p.until("11:12:00")
	p.says("etl", "Deployment web e1 pending RolloutRestartDisabled")
	p.saw()
	p.r.RolloutRestart = true
	p.restart()
	p.until("11:20:00")
	p.saw("11:12:10 get web", "11:12:10 patch web")
	p.says("etl", "Deployment web e2 11:12:10")
}

// TestRestartWaitsWhileSuspended does nothing, and what is owed meanwhile later.
func TestRestartWaitsWhileSuspended(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.deploy(web)
	p.enter("etl", "e1", web)
	p.until("11:10:00")
	p.write("etl", "e2")
	p.until("11:10:05")
	p.cast["etl"].v.Object.Spec.Suspend = true
	p.restart()
	p.until("11:20:00")
	p.saw("11:00:00 get web")
	p.says("etl", "Deployment web e1 pending")
	p.cast["etl"].v.Object.Spec.Suspend = false
	p.restart()
	p.until("11:30:00")
	p.saw("11:20:10 get web", "11:20:10 patch web")
}

// TestRestartReportsAMissingWorkload: a workload that is not there when its data changes is reported, and owes no restart when it comes.
func TestRestartReportsAMissingWorkload(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.enter("etl", "e1", web)
	p.until("11:10:00")
	p.says("etl", "Deployment web e1")
	p.write("etl", "e2")
	p.until("11:20:00")
	p.says("etl", "Deployment web e2 WorkloadNotFound")
	p.deploy(web)
	p.restart()
	p.until("11:30:00")
	p.saw("11:00:00 get web", "11:10:10 get web")
	p.write("etl", "e3")
	p.until("11:40:00")
	p.saw("11:30:10 get web", "11:30:10 patch web")
	p.says("etl", "Deployment web e3 11:30:10")
}

// TestRestartRefusedIsReportedAndRetried: what the API server refuses is told of, tried again at its own pace, and done once it is let.
func TestRestartRefusedIsReportedAndRetried(t *testing.T) {
	t.Parallel()
	deployments := schema.GroupResource{Group: "apps", Resource: "deployments"}
	refusing := func(verb string, err error) func(string) error {
		return func(is string) error {
			if is == verb {
				return err
			}
			return nil
		}
	}
	for name, tc := range map[string]struct {
		refuse func(string) error
		told   []string
		says   string
		// failures is how many are counted until then.
		failures float64
		// until is when the API server lets it, and then what is asked.
		until string
		then  []string
	}{
		"forbidden to look": {
			refusing("get", apierrors.NewForbidden(deployments, "web", nil)), []string{"11:10:10 get web", "11:15:10 get web"},
			"Deployment web e1 pending RolloutRestartForbidden", 2, "11:17:00", []string{"11:20:10 get web", "11:20:10 patch web"},
		},
		"forbidden to restart": {
			refusing("patch", apierrors.NewForbidden(deployments, "web", nil)),
			[]string{"11:10:10 get web", "11:10:10 patch web"},
			"Deployment web e1 pending RolloutRestartForbidden", 1, "11:15:00", []string{"11:15:10 get web", "11:15:10 patch web"},
		},
		"an API server in trouble": {
			refusing("get", apierrors.NewInternalError(credential.ErrNamespaceTerminating)), []string{"11:10:10 get web", "11:10:40 get web"},
			"Deployment web e1 pending RolloutRestartFailed", 2, "11:11:00", []string{"11:11:10 get web", "11:11:10 patch web"},
		},
		"changed by somebody at the same moment": {
			refusing("patch", apierrors.NewConflict(deployments, "web", nil)), []string{"11:10:10 get web", "11:10:10 patch web", "11:10:11 get web", "11:10:11 patch web"},
			"Deployment web e1 pending", 0, "11:10:11.5", []string{"11:10:12 get web", "11:10:12 patch web"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t)
			p.deploy(web)
			p.enter("etl", "e1", web)
			p.until("11:10:00")
			p.told = nil
			p.refuse = tc.refuse
			p.write("etl", "e2")
			p.until(tc.until)
			p.saw(tc.told...)
			p.says("etl", tc.says)
			if got, want := p.failures(), tc.failures; got != want {
				t.Errorf("%v failures counted, want %v", got, want)
			}
			p.refuse = nil
			p.until("12:00:00")
			p.saw(tc.then...)
			if got := p.status("etl"); !strings.HasPrefix(got, "Deployment web e2 11:") {
				t.Errorf("then status is %q", got)
			}
		})
	}
}

// TestRestartForbiddenIsReportedAtOnce is told of at once; rights that come later are found, and nothing is owed for the time before.
func TestRestartForbiddenIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.refuse = func(string) error {
		return apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "web", nil)
	}
	p.deploy(web)
	p.enter("etl", "e1", web)
	p.until("11:04:00")
	p.says("etl", "Deployment web e1 RolloutRestartForbidden")
	p.refuse = nil
	p.until("11:30:00")
	p.saw("11:00:00 get web", "11:05:00 get web")
	p.says("etl", "Deployment web e1")
}

// allow has the workload name those that may restart it.
func (p *play) allow(names string) {
	p.Helper()
	obj := &appsv1.Deployment{}
	obj.Namespace, obj.Name = "marketing", "web"
	patch := fmt.Sprintf(`{"metadata":{"annotations":{"cdpcredentials.io/allow-restart":%q}}}`, names)
	if err := p.api.Patch(p.Context(), obj, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		p.Fatal(err)
	}
}

// TestRestartNeedsTheWorkloadsAnnotation: a workload that does not name the object is not restarted; that is told at once, and consent that comes later is found.
func TestRestartNeedsTheWorkloadsAnnotation(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.deploy(web)
	p.allow("ads")
	p.enter("etl", "e1", web)
	p.enter("ads", "e1", web)
	p.until("11:02:00")
	p.says("etl", "Deployment web e1 RolloutRestartNotAllowed")
	p.says("ads", "Deployment web e1")
	p.write("etl", "e2")
	p.until("11:04:00")
	p.says("etl", "Deployment web e1 pending RolloutRestartNotAllowed")
	p.saw("11:00:00 get web", "11:00:00 get web", "11:02:10 get web")
	p.write("ads", "e2")
	p.until("11:05:00")
	p.saw("11:04:10 get web", "11:04:10 patch web")
	if got := p.template()["cdpcredentials.io/restarted-for"]; got != `{"788eb2efc52660fe":"e2"}` {
		t.Errorf("it was restarted for objects that it does not allow: %s", got)
	}
	p.allow("ads,etl")
	p.until("11:20:00")
	p.saw("11:07:10 get web", "11:07:10 patch web")
	p.says("etl", "Deployment web e2 11:07:10")
	p.allow("ads")
	p.write("etl", "e3")
	p.until("11:21:00")
	p.says("etl", "Deployment web e2 pending 11:07:10 RolloutRestartNotAllowed")
}

// TestRestartStartsAnewForAWorkloadNewOnTheList: what is taken off the list is forgotten, and what comes onto it begins with the data of then.
func TestRestartStartsAnewForAWorkloadNewOnTheList(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.deploy(web)
	p.enter("etl", "e1", web)
	p.until("11:10:00")
	p.cast["etl"].v.Object.Spec.RolloutRestart = nil
	p.write("etl", "e2")
	p.until("11:20:00")
	p.says("etl", "")
	p.cast["etl"].v.Object.Spec.RolloutRestart = []v1alpha1.RolloutRestart{web}
	p.restart()
	p.until("11:30:00")
	p.saw("11:00:00 get web", "11:20:00 get web")
	p.says("etl", "Deployment web e2")
}

// TestRestartIgnoresForeignTemplateAnnotations: annotations that somebody else has written onto a template are as good as none.
func TestRestartIgnoresForeignTemplateAnnotations(t *testing.T) {
	t.Parallel()
	for name, annotations := range map[string]map[string]string{
		"no time":        {"cdpcredentials.io/restarted-at": "yesterday"},
		"no object":      {"cdpcredentials.io/restarted-for": "[1]"},
		"no texts in it": {"cdpcredentials.io/restarted-for": `{"631fd8e1ffac93e4":{"a":1}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t)
			deployment := &appsv1.Deployment{}
			deployment.Namespace, deployment.Name, deployment.Spec.Template.Annotations = "marketing", "web", annotations
			deployment.Annotations = map[string]string{"cdpcredentials.io/allow-restart": "etl"}
			if err := p.api.Create(t.Context(), deployment); err != nil {
				t.Fatal(err)
			}
			p.enter("etl", "e1", web)
			p.until("11:10:00")
			p.write("etl", "e2")
			p.until("11:20:00")
			p.saw("11:00:00 get web", "11:10:10 get web", "11:10:10 patch web")
		})
	}
}

// TestRestartRequestsNothingBeforeTheFirstToken asks for nothing: there is nothing yet that pods could have begun with.
func TestRestartRequestsNothingBeforeTheFirstToken(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.deploy(web)
	p.enter("etl", "e1", web)
	p.cast["etl"].v.Target.Found = false
	p.until("11:10:00")
	p.saw()
	p.says("etl", "")
}

// TestRestartThatWaitsDelaysNoOther: a workload that has to wait longer than another does not hold it up.
func TestRestartThatWaitsDelaysNoOther(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	db := v1alpha1.RolloutRestart{Kind: "StatefulSet", Name: "db"}
	p.deploy(web)
	p.deploy(db)
	p.enter("ads", "e1", db)
	p.enter("etl", "e1", db, web)
	p.until("11:10:00")
	p.write("ads", "e2")
	p.until("11:10:15")
	p.write("etl", "e2")
	p.until("11:10:26")
	p.write("etl", "e3")
	p.told = nil
	p.until("11:11:26")
	p.saw("11:10:36 get db", "11:10:36 get web", "11:11:10 get db", "11:11:10 patch db", "11:11:25 get web", "11:11:25 patch web")
}
