// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestUsualCasesCostTheFewestRequests counts the requests of the most common cases, in which nothing goes wrong: with thousands of objects, one more
// of each is thousands more.
func TestUsualCasesCostTheFewestRequests(t *testing.T) {
	const (
		read, create, write = "get Secret obj-client-a", "create Secret obj-token", "patch Secret obj-token"
		report, ask         = "patch status", "dry-run create Secret obj-token"
	)
	for _, tc := range []struct {
		name string
		do   func(w *world, o *object)
		want []string
	}{
		{"a new object", func(_ *world, o *object) { o.apply("oauth2") }, []string{read, create, report}},
		{"an object that is older than the process", func(w *world, o *object) {
			w.replicas[0].kill()
			o.apply("oauth2")
		}, []string{read, create, report}},
		{"a renewal", func(w *world, o *object) {
			o.apply("oauth2")
			w.runFor(time.Minute)
			w.tell("BEGIN")
			w.runFor(time.Hour)
		}, []string{read, write, report}},
		{"a restart", func(w *world, o *object) {
			o.apply("oauth2")
			w.runFor(time.Minute)
			w.tell("BEGIN")
			w.replicas[0].kill()
		}, nil},
		{"a deleted client Secret", func(w *world, o *object) {
			o.apply("oauth2")
			w.runFor(time.Minute)
			w.tell("BEGIN")
			w.api.setSecret(nil, o.secret(o.clientSecretNames()[0]), nil)
		}, []string{ask, "get CDPCredential obj", "get Secret obj-token", read, report}}, // a serious problem is confirmed with the API server
		{"a spec that cannot be served", func(w *world, o *object) {
			o.apply("oauth2")
			w.runFor(time.Minute)
			w.tell("BEGIN")
			o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider.OAuth2.TokenURL = "https://0x7f000001/" })
		}, []string{report}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var requests []string
			w, o := plainWorld(newWiring(t), func(line string) {
				t.Log(line)
				_, what, _ := strings.Cut(line, ": obj: ")
				what, _, _ = strings.Cut(what, ": ")
				switch verb, _, _ := strings.Cut(what, " "); verb {
				case "get", "create", "dry-run", "patch", "delete":
					requests = append(requests, what)
				}
				if strings.Contains(line, "BEGIN") {
					requests = nil
				}
			})
			broken := w.watched(func() {
				o.putClientSecret(o.clientSecretNames()[0]) // so that the cache shows it before the object
				w.startReplica(0)
				w.runFor(time.Second)
				tc.do(w, o)
				w.runFor(time.Minute)
			})
			if broken != nil {
				t.Error(broken)
			}
			if diff := cmp.Diff(tc.want, requests); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestUsualCasesTakeTheFewestPasses counts the reconciles of the most common cases: the watch event of an own write must not cause another one,
// unless a webhook changed what was written.
func TestUsualCasesTakeTheFewestPasses(t *testing.T) {
	w, o := plainWorld(newWiring(t), func(line string) { t.Log(line) })
	count := func(what string, want int, do func()) {
		before := w.passes
		do()
		if got := w.passes - before; got != want {
			t.Errorf("%s: %d reconciles, want %d", what, got, want)
		}
	}
	broken := w.watched(func() {
		o.putClientSecret(o.clientSecretNames()[0])
		w.startReplica(0)
		w.runFor(time.Second)
		count("a new object", 1, func() { o.apply("oauth2"); w.runFor(time.Minute) })
		count("a renewal", 1, func() { w.runFor(45 * time.Minute) })
		o.editTarget(func(s *corev1.Secret) { delete(s.Labels, v1alpha1.ManagedByLabel) })
		count("a label is removed", 1, func() { w.runFor(time.Minute) })
		w.api.mutate = func(s *corev1.Secret) *corev1.Secret { return stripped(s, v1alpha1.CredentialAnnotation) }
		w.runFor(36 * time.Minute)
		if reason := o.refreshed(); !strings.Contains(reason, v1alpha1.ReasonTargetNotOwned) {
			t.Errorf("after a webhook removed the owner annotation, Refreshed is %s", reason)
		}
	})
	if broken != nil {
		t.Error(broken)
	}
}
