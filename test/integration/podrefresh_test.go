// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// refreshing lets an object refresh the pods that mount its target.
func refreshing(obj *v1alpha1.CDPCredential) { obj.Spec.Target.RefreshPods = true }

// refresher returns an identity with the operator's rights and those of config/pod-refresh.
func (s *stage) refresher() *identity {
	s.Helper()
	id, err := s.grant(s.Context(), refreshingRoles(), "refresh")
	s.must(err)
	return &id
}

// pods waits until status.pods is REFRESHED/MOUNTING and the reason. Empty: it is not set.
func (c *credential) pods(want string) {
	c.Helper()
	c.until(patience, "status.pods", func() error {
		if got := podsText(c.object()); got != want {
			return fmt.Errorf("%q, want %q", got, want)
		}
		return nil
	})
}

func podsText(obj *v1alpha1.CDPCredential) string {
	if obj.Status.Pods == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%d/%d %s", obj.Status.Pods.Refreshed, obj.Status.Pods.Mounting, obj.Status.Pods.Reason))
}

// annotated waits until a pod's annotation has the current versions of these Secrets.
func (s *stage) annotated(pod string, secrets ...string) {
	s.Helper()
	s.until(patience, "the annotation of "+pod, func() error {
		var want []string
		for _, name := range secrets {
			want = append(want, name+"="+s.secretOf(name).ResourceVersion)
		}
		got := &corev1.Pod{}
		s.must(s.Client.Get(s.Context(), client.ObjectKey{Namespace: s.namespace, Name: pod}, got))
		if diff := cmp.Diff(strings.Join(want, ","), got.Annotations["cdpcredentials.io/secret-version"]); diff != "" {
			return fmt.Errorf("-want +got:\n%s", diff)
		}
		return nil
	})
}

// TestPodRefreshFollowsChangedData: pods that mount the target are refreshed after a change of data, with one list and one patch per pod; without the
// field, no request concerns pods.
func TestPodRefreshFollowsChangedData(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.runPod("etl", "etl-token")
	s.runPod("both", "ads-token", "etl-token")
	s.runPod("other", "ads-token")
	o := s.operate(assembly{identity: s.refresher(), podRefresh: true})
	plain := s.ready("ads")
	plain.settled()
	plain.request("now")
	plain.waitIssued(2)
	s.quiet("plain")
	for _, request := range o.requests.since(0) {
		if strings.Contains(request, "pods") {
			t.Errorf("without the field the operator requested: %s", request)
		}
	}

	c := s.ready("etl", refreshing)
	s.annotated("etl", "etl-token")
	s.annotated("both", "etl-token")
	c.pods("2/2")
	c.settled()
	s.quiet("birth")

	mark := o.requests.len()
	c.request("now")
	c.waitIssued(2)
	s.annotated("etl", "etl-token")
	s.annotated("both", "etl-token")
	s.until(patience, "its event", func() error { return c.hasEvents("TokenRefreshed", 2) })
	s.quiet("refresh")
	if diff := cmp.Diff([]string{
		"create events", "get secrets/etl-client", "list pods", "patch cdpcredentials/etl/status", "patch pods/both", "patch pods/etl", "patch secrets/etl-token",
	}, o.requests.since(mark)); diff != "" {
		t.Errorf("a refresh made unexpected requests (-want +got):\n%s", diff)
	}

	// Metadata is not data.
	mark = o.requests.len()
	c.labelTarget()
	s.throughout(3*time.Second, "after a label", func() error {
		for _, request := range o.requests.since(mark) {
			if strings.Contains(request, "pods") {
				return fmt.Errorf("the operator requested: %s", request)
			}
		}
		return nil
	})

	// Two Secrets of a namespace that change together need one list, and one patch per pod.
	plain.edit(refreshing)
	plain.settled()
	c.settled()
	mark = o.requests.len()
	for _, c := range []*credential{c, plain} {
		c.request("together")
	}
	c.waitIssued(3)
	plain.waitIssued(3)
	s.annotated("both", "ads-token", "etl-token")
	s.annotated("other", "ads-token")
	s.annotated("etl", "etl-token")
	var asked []string
	for _, request := range o.requests.since(mark) {
		if strings.Contains(request, "pods") {
			asked = append(asked, request)
		}
	}
	if diff := cmp.Diff([]string{"list pods", "patch pods/both", "patch pods/etl", "patch pods/other"}, asked); diff != "" {
		t.Errorf("unexpected requests for two at once (-want +got):\n%s", diff)
	}
	c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Target.RefreshPods = false })
	c.pods("")
}

// TestPodRefreshTroubleIsNotTheTokens: whatever prevents a refresh, tokens are renewed as before. The user gets one Warning, and another one only
// after it has worked in between.
func TestPodRefreshTroubleIsNotTheTokens(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		with   func(*stage) assembly
		deny   func(*stage) (allow func())
		status string
		event  string
	}{
		"without the flag": {
			with:   func(*stage) assembly { return assembly{} },
			status: "0/0 PodRefreshDisabled", event: "PodRefreshDisabled",
		},
		"without the role": {
			with:   func(*stage) assembly { return assembly{podRefresh: true} },
			status: "0/0 PodRefreshForbidden", event: "PodRefreshForbidden",
		},
		"a policy denies": {
			with:   func(s *stage) assembly { return assembly{identity: s.refresher(), podRefresh: true} },
			deny:   (*stage).denyPodsByPolicy,
			status: "0/1 PodRefreshForbidden", event: "PodRefreshForbidden",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.runPod("etl", "etl-token")
			allow := func() {}
			if tc.deny != nil {
				allow = tc.deny(s)
			}
			s.operate(tc.with(s))
			c := s.ready("etl", refreshing)
			c.pods(tc.status)
			s.until(patience, "the Warning", func() error { return c.hasEvents(tc.event, 1) })
			for n := 2; n <= 3; n++ {
				c.settled()
				c.request(fmt.Sprint(n))
				c.waitIssued(n)
			}
			time.Sleep(3 * time.Second) // pods would have been refreshed by now
			c.pods(tc.status)
			if err := c.healthy(c.object()); err != nil {
				t.Error(err)
			}
			if err := c.hasEvents(tc.event, 1); err != nil {
				t.Error(err)
			}
			if tc.deny == nil {
				return
			}
			allow()
			s.until(patience, "it works", func() error {
				c.settled()
				c.request(time.Now().String())
				return within(s.Context(), 5*time.Second, func() error {
					if got := podsText(c.object()); got != "1/1" {
						return fmt.Errorf("%q", got)
					}
					return nil
				})
			})
			tc.deny(s)
			c.settled()
			c.request("last")
			c.pods(tc.status)
			s.until(patience, "another Warning", func() error { return c.hasEvents(tc.event, 2) })
		})
	}
}

// TestPodRefreshShortensTheLead: a token of five minutes is renewed 75 s before it expires instead of 150 s, as long as pods can be refreshed.
func TestPodRefreshShortensTheLead(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.endpoints.SetBehaviour(exchangetest.Behaviour{Lifetime: 5 * time.Minute})
	s.operate(assembly{identity: s.refresher(), podRefresh: true})
	lead := func(obj *v1alpha1.CDPCredential) time.Duration {
		return obj.Status.TokenExpirationTime.Sub(obj.Status.NextRefreshTime.Time)
	}
	const jitter = 31 * time.Second // a tenth of the lifetime, and rounding to whole seconds
	if got := lead(s.ready("plain").object()); got < 150*time.Second || got > 150*time.Second+jitter {
		t.Errorf("without the field the lead is %v", got)
	}
	c := s.ready("etl", refreshing)
	c.pods("0/0")
	s.until(patience, "the lead", func() error {
		if got := lead(c.object()); got < 75*time.Second || got > 75*time.Second+jitter {
			return fmt.Errorf("the lead is %v", got)
		}
		return nil
	})
	if c.issued() != 1 {
		t.Errorf("%d tokens were issued, want 1", c.issued())
	}
}

// TestPodRefreshRoleIsEnough runs the manager, with its flag, with the rights of config/pod-refresh.
func TestPodRefreshRoleIsEnough(t *testing.T) {
	t.Parallel()
	if err := refreshingPods(newStage(t), refreshingRoles(), "refresh-whole"); err != nil {
		t.Error(err)
	}
}

// TestPodRefreshRoleHasNothingToSpare removes one verb of one resource at a time from them.
func TestPodRefreshRoleHasNothingToSpare(t *testing.T) {
	nothingToSpare(t, rights(podRefreshRoles()), refreshingRoles, "refresh-mutant", refreshingPods)
}

// refreshingPods runs a manager with these roles and lets it refresh a pod. It returns what did not work.
func refreshingPods(s *stage, roles []client.Object, name string) error {
	s.Helper()
	s.manager = s.namespace
	id, err := s.grant(s.Context(), roles, name)
	s.must(err)
	manager, err := s.startManager(s.Context(), id, name, "--watch-selector="+managerLabel+"="+s.manager, "--allowed-cidrs="+openAddress, "--enable-pod-refresh")
	s.must(err)
	s.Cleanup(func() {
		if err := manager.stop(); err != nil {
			s.Log(err)
		}
	})
	s.runPod("etl", "etl-token")
	c := s.ready("etl", refreshing)
	return within(s.Context(), 30*time.Second, func() error {
		if got := podsText(c.object()); got != "1/1" {
			return fmt.Errorf("status says %q of pods", got)
		}
		return nil
	})
}

// TestPodRefreshCatchesUpAfterARestart: if a process dies between the write and the refresh, the next one refreshes the pods, and writes nothing
// else.
func TestPodRefreshCatchesUpAfterARestart(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.runPod("etl", "etl-token")
	id := s.refresher()
	o := s.operate(assembly{identity: id}) // it does not refresh pods
	c := s.ready("etl", refreshing)
	c.pods("0/0 PodRefreshDisabled")
	o.stop()
	next := s.operate(assembly{identity: id, podRefresh: true})
	s.annotated("etl", "etl-token")
	c.pods("1/1")
	s.quiet("restart")
	if diff := cmp.Diff([]string{"patch cdpcredentials/etl/status", "patch pods/etl", "patch cdpcredentials/etl/status"}, next.requests.writes()); diff != "" {
		t.Errorf("unexpected writes of the next process (-want +got):\n%s", diff)
	}
}

// denyPodsByPolicy lets an admission policy, as of another tool, refuse changes of the stage's pods.
func (s *stage) denyPodsByPolicy() (allow func()) {
	s.Helper()
	pod := &corev1.Pod{ObjectMeta: s.meta("try"), Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: "example.com/app:1"}}}}
	pod.Annotations = map[string]string{"cdpcredentials.io/secret-version": "x"}
	return s.policy("pods", "!has(object.metadata.annotations) || !('cdpcredentials.io/secret-version' in object.metadata.annotations)", pod)
}
