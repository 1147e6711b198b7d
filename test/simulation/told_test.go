// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestOutageIsReportedBeforeTokensExpire: an endpoint fails for good. Each of a hundred objects reports that a minute before its token expires,
// though most of them never had a turn to call it. No Ready condition refers to a Refreshed condition that says that all is well.
func TestOutageIsReportedBeforeTokensExpire(t *testing.T) {
	const size = 100
	for _, trouble := range []trouble{serverError, throttlingRetryAfter} {
		w, _ := plainWorld(newWiring(t), nil)
		w.workers = 32
		w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
		untold, misled, next := 0, 0, 0
		if broken := w.watched(func() {
			w.judge.objects = nil
			for i := range size {
				o := &object{w: w, name: types.NamespacedName{Namespace: fmt.Sprintf("team-%02d", i%10), Name: fmt.Sprintf("credential-%03d", i)}}
				w.judge.objects = append(w.judge.objects, o)
				o.apply("oauth2")
			}
			w.startReplica(0)
			w.runFor(time.Minute)
			w.vendors.hosts[oauthHost].trouble = trouble
			told := map[types.NamespacedName]bool{}
			for range 18 * 60 {
				w.runFor(time.Second)
				for _, o := range w.judge.objects {
					s := &o.get().Status
					if at := s.NextRefreshTime; at != nil && w.local().Sub(at.Time) > heldUpAfter+10*time.Second {
						next++
					}
					left := s.TokenExpirationTime.Sub(w.local())
					if left < time.Minute && !told[o.name] {
						told[o.name] = true
						if !isFalse(s, v1alpha1.ConditionRefreshed) || meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReconciling) == nil {
							untold++
						}
					}
					ready := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
					if strings.Contains(ready.Message, "see the condition Refreshed") && !isFalse(s, v1alpha1.ConditionRefreshed) {
						misled++
					}
				}
			}
			if len(told) != size {
				t.Errorf("trouble %v: only %d tokens came close to their expiry", trouble, len(told))
			}
		}); broken != nil {
			t.Error(broken)
		}
		if untold+misled+next > 0 {
			t.Errorf("trouble %v: %d of %d objects reported nothing a minute before expiry; Ready was misleading %d times; nextRefreshTime was long past %d times", trouble, untold, size, misled, next)
		}
	}
}

// heldUpAfter is how long an exchange waits for its turn before that is reported.
const heldUpAfter = time.Minute

func isFalse(s *v1alpha1.CDPCredentialStatus, kind string) bool {
	return meta.IsStatusConditionFalse(s.Conditions, kind)
}

// A forbiddenReader is an API server that refuses reads of Secrets.
type forbiddenReader struct {
	liveReader
	reads *int
	err   func(name string) error
}

func (r forbiddenReader) Get(ctx context.Context, name client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	if _, secret := obj.(*corev1.Secret); !secret {
		return r.liveReader.Get(ctx, name, obj, opts...)
	}
	*r.reads++
	return r.replica.w.running.request("get Secret "+name.Name, false, func() error { return r.err(name.Name) })
}

// TestRefusedReadsAreReported: the API server refuses reads of the client Secret. After a minute status says which request was refused and why, in
// our own words; Ready turns False when the token expires; and when reads work again, the object recovers with a single exchange.
func TestRefusedReadsAreReported(t *testing.T) {
	for name, refusal := range map[string]func(string) error{
		"Forbidden": func(name string) error {
			return apierrors.NewForbidden(secretResource, name, errors.New("needle of a webhook"))
		},
		"TooManyRequests": func(string) error { return apierrors.NewTooManyRequestsError("needle of a webhook") },
		"no answer":       func(string) error { return errors.New("needle: connection refused") },
	} {
		t.Run(name, func(t *testing.T) {
			w, o := plainWorld(newWiring(t), func(line string) { t.Log(line) })
			w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
			if broken := w.watched(func() {
				r := w.startReplica(0)
				o.apply("oauth2")
				w.runFor(5 * time.Minute)
				due, dies := o.get().Status.NextRefreshTime.Time, o.get().Status.TokenExpirationTime.Time
				reads := 0
				r.reconciler.Live = forbiddenReader{liveReader{r}, &reads, refusal}
				w.judge.obstruct(o, time.Hour)
				w.runFor(due.Sub(w.local()) + 58*time.Second)
				if said := o.refreshed(); said != "TokenIssued" {
					w.violated("test", "within the first minute, Refreshed is %s", said)
				}
				w.runFor(5 * time.Second)
				c := meta.FindStatusCondition(o.get().Status.Conditions, "Refreshed")
				if c.Reason != "APIUnavailable" || !strings.Contains(c.Message, "get secrets "+o.clientSecretNames()[0]+" ("+name+")") || strings.Contains(c.Message, "needle") {
					w.violated("test", "Refreshed: %s %s", c.Reason, c.Message)
				}
				if o.get().Status.Reason != "APIUnavailable" || meta.FindStatusCondition(o.get().Status.Conditions, "Reconciling") == nil || !isTrue(o, "Ready") {
					w.violated("test", "%s", shortStatus(&o.get().Status))
				}
				w.runFor(dies.Sub(w.local()) - time.Second)
				if !isTrue(o, "Ready") {
					w.violated("test", "Ready is False before the token expires")
				}
				if w.runFor(2 * time.Second); isTrue(o, "Ready") {
					w.violated("test", "a second after expiry Ready is True: %s", shortStatus(&o.get().Status))
				}
				if reads > 25 {
					w.violated("test", "%d reads were tried in five minutes", reads)
				}
				r.reconciler.Live, w.judge.file(o.get().UID).obstructed = liveReader{r}, w.now
				w.runFor(2 * time.Minute)
				if said := o.refreshed(); said != "TokenIssued" || !isTrue(o, "Ready") || w.judge.stats.issued != 2 {
					w.violated("test", "at the end Refreshed is %s, with %d tokens issued, want 2", said, w.judge.stats.issued)
				}
			}); broken != nil {
				t.Error(broken)
			}
		})
	}
}

// TestReadyTurnsAfterRefusedPatches: the API server refuses reads of the client Secret, then everything until five seconds before the token expires.
// Ready turns False in time although the work queue has backed off.
func TestReadyTurnsAfterRefusedPatches(t *testing.T) {
	w, o := plainWorld(newWiring(t), func(line string) { t.Log(line) })
	w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
	if broken := w.watched(func() {
		r := w.startReplica(0)
		o.apply("oauth2")
		w.runFor(5 * time.Minute)
		due, dies := o.get().Status.NextRefreshTime.Time, o.get().Status.TokenExpirationTime.Time
		reads := 0
		r.reconciler.Live = forbiddenReader{liveReader{r}, &reads, func(string) error { return apierrors.NewTooManyRequestsError("busy") }}
		w.judge.obstruct(o, time.Hour)
		w.runFor(due.Sub(w.local()) + 50*time.Second)
		w.apiFault.refused = 1
		w.runFor(dies.Sub(w.local()) - 5*time.Second)
		w.apiFault.refused = 0
		if w.runFor(7 * time.Second); isTrue(o, "Ready") {
			w.violated("test", "two seconds after expiry Ready is True: %s", shortStatus(&o.get().Status))
		}
	}); broken != nil {
		t.Error(broken)
	}
}

func isTrue(o *object, kind string) bool {
	return meta.IsStatusConditionTrue(o.get().Status.Conditions, kind)
}
