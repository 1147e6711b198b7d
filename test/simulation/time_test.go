// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// shownExpiry is the expiry shown on the target, in true time, by the leader's current clock.
func (w *world) shownExpiry(o *object) time.Duration {
	t, err := time.Parse(time.RFC3339, o.target().Annotations[v1alpha1.ExpiresAtAnnotation])
	if err != nil {
		w.violated("story", "%v", err)
	}
	return w.leader().trueTime(t, w.now)
}

// showsItsEnd requires that target and status show the expiry of the token, by the leader's current clock.
func (w *world) showsItsEnd(o *object, tolerance time.Duration) {
	truth, shown := w.vendors.tokens[w.judge.tokenOf(o.target())].expires, w.shownExpiry(o)
	if apart := shown - truth; apart > 2*time.Second+tolerance || apart < -2*time.Second-tolerance {
		w.violated("story", "the target shows the expiry %s, but the token expires at %s", shown, truth)
	}
	if told, want := o.get().Status.TokenExpirationTime.UTC().Format(time.RFC3339), o.target().Annotations[v1alpha1.ExpiresAtAnnotation]; told != want {
		w.violated("story", "status shows the expiry %s, the target %s", told, want)
	}
}

// TestClockJumpsCostNoExchange sets the local clock at every point of a first issue and of a renewal. No jump costs an exchange, the target shows the
// right expiry in the end, and jumps of less than half a minute cost nothing at all.
func TestClockJumpsCostNoExchange(t *testing.T) {
	wires := newWiring(t)
	for _, kind := range []struct {
		name, provider string
		renewal        bool
	}{{"first issue", "oauth2", false}, {"renewal", "oauth2", true}, {"renewal of a JWT", "apsis", true}} {
		for _, by := range []time.Duration{0, 5 * time.Second, -5 * time.Second, 50 * time.Minute, -50 * time.Minute, time.Hour, -time.Hour} {
			points := 0
			for point, left := 1, 0; left == 0 && point < 100; point++ {
				w, o := plainWorld(wires, nil)
				broken := w.watched(func() {
					r := w.startReplica(0)
					want := 1
					if kind.renewal {
						want = 2
						o.apply(kind.provider)
						w.runFor(30 * time.Second)
						w.runTo(w.clockAt(o.get().Status.NextRefreshTime) - 2*time.Second)
					}
					r.setAfter, r.setBy = point, by
					if !kind.renewal {
						o.apply(kind.provider)
					}
					began := o.targetVersions()
					w.runFor(20 * time.Second)
					if left = r.setAfter; left > 0 {
						return // no points are left
					}
					tolerance := by.Abs()
					if tolerance >= 30*time.Second {
						tolerance = 0
					}
					w.showsItsEnd(o, tolerance)
					if writes := o.targetVersions() - began; tolerance > 0 && writes != 1 {
						w.violated("story", "the target was written %d times, want once", writes)
					}
					if got := w.judge.stats.exchanges; got != want {
						w.violated("story", "%d exchanges", got)
					}
					w.stayQuiet(3 * time.Hour) // the judge sees whether it is renewed in time, and at what cost
					w.showsItsEnd(o, tolerance)
				})
				if broken != nil {
					t.Errorf("%s, clock set by %s at point %d: %v", kind.name, by, point, broken)
				}
				points = point
			}
			if points < 5 {
				t.Errorf("%s: only %d points", kind.name, points)
			}
		}
	}
}

// targetVersions counts the writes of the target.
func (o *object) targetVersions() int {
	n := 0
	for _, c := range o.w.api.changes {
		if c.ofSecret && c.name == o.secret(o.get().Spec.Target.Name) {
			n++
		}
	}
	return n
}

// TestNewLeaderWithAnotherClockRenewsOnTime: a new leader whose clock is ahead or behind renews when the token is due, not earlier, and the target
// shows the expiry by its clock.
func TestNewLeaderWithAnotherClockRenewsOnTime(t *testing.T) {
	wires := newWiring(t)
	for _, provider := range []string{"oauth2", "apsis"} {
		for _, off := range []time.Duration{0, 35 * time.Minute, -35 * time.Minute, 20 * time.Second, -20 * time.Second} {
			w, o := plainWorld(wires, func(line string) { t.Log(line) })
			broken := w.watched(func() {
				old := w.startReplica(0)
				o.apply(provider)
				w.runFor(10 * time.Minute)
				renewal, asked, written := w.clockAt(o.get().Status.NextRefreshTime), w.judge.stats.exchanges, o.targetVersions()
				w.startReplica(0).skew = off
				old.kill()
				w.runFor(10 * time.Second)
				if off.Abs() >= 30*time.Second {
					w.showsItsEnd(o, 0)
				} else if o.targetVersions() != written {
					w.violated("story", "the target was written")
				}
				w.runTo(renewal - 21*time.Second)
				if w.judge.stats.exchanges != asked {
					w.violated("story", "a token was requested before the renewal was due")
				}
				w.runTo(renewal + 3*time.Second)
				if w.judge.stats.exchanges != asked+1 {
					w.violated("story", "no token was requested when the renewal was due")
				}
				w.showsItsEnd(o, 0)
			})
			if broken != nil {
				t.Errorf("%s, off by %s: %v", provider, off, broken)
			}
		}
	}
}

// TestBackoffKeepsItsLengthOverClockJumps: a backoff lasts as long as was decided, whoever sets the clock and whoever leads.
func TestBackoffKeepsItsLengthOverClockJumps(t *testing.T) {
	wires := newWiring(t)
	for name, change := range map[string]func(*world){
		"nothing":          func(*world) {},
		"set forward":      func(w *world) { w.leader().setClock(time.Hour) },
		"set back":         func(w *world) { w.leader().setClock(-time.Hour) },
		"another is ahead": func(w *world) { old := w.leader(); w.startReplica(0).skew = 35 * time.Minute; old.kill() },
		"another behind":   func(w *world) { old := w.leader(); w.startReplica(0).skew = -35 * time.Minute; old.kill() },
	} {
		w, o := plainWorld(wires, func(line string) { t.Log(line) })
		broken := w.watched(func() {
			w.startReplica(0)
			w.vendors.secrets[o.clientID("a")] = "another"
			o.apply("oauth2")
			w.runFor(time.Minute)
			again, asked := w.clockAt(o.get().Status.NextRefreshTime), w.judge.stats.exchanges
			change(w)
			w.runTo(again - 3*time.Second)
			if w.judge.stats.exchanges != asked {
				w.violated("story", "the endpoint was called again during the backoff")
			}
			w.runTo(again + 5*time.Second)
			if w.judge.stats.exchanges != asked+1 {
				w.violated("story", "the endpoint was not called again after the backoff")
			}
		})
		if broken != nil {
			t.Errorf("%s: %v", name, broken)
		}
	}
}

// TestEndpointThatRepeatsItsTokenUntilExpiry: a day with an endpoint that returns the same token until it expires.
func TestEndpointThatRepeatsItsTokenUntilExpiry(t *testing.T) {
	wires := newWiring(t)
	for _, kind := range []struct {
		provider string
		before   time.Duration
		restarts bool
	}{{"oauth2", 0, false}, {"apsis", 0, false}, {"oauth2", 10 * time.Minute, false}, {"oauth2", 0, true}} {
		w, o := plainWorld(wires, nil)
		for _, h := range w.vendors.hosts {
			h.sameUntilDead = true
		}
		var dead, worst time.Duration
		broken := w.watched(func() {
			w.startReplica(0)
			o.apply(kind.provider)
			if kind.before > 0 {
				o.edit(func(s *v1alpha1.CDPCredentialSpec) {
					s.Refresh = &v1alpha1.Refresh{Before: &metav1.Duration{Duration: kind.before}}
				})
			}
			w.runFor(time.Second)
			const step = 100 * time.Millisecond
			for w.now < 24*time.Hour {
				w.runFor(step)
				if target := o.target(); target != nil && w.vendors.tokens[w.judge.tokenOf(target)].expires <= w.now {
					dead += step
				} else {
					dead = 0
				}
				worst = max(worst, dead)
				if kind.restarts && w.now%(50*time.Minute) == 0 {
					old := w.leader()
					w.startReplica(0)
					old.kill()
				}
			}
		})
		asked, mode := w.judge.stats.exchanges, o.get().Status.IssuanceMode
		t.Logf("%+v: %d exchanges, an expired token for %s at most", kind, asked, worst)
		if broken != nil || asked > 32 || worst > 2*time.Second || mode != v1alpha1.IssuanceModeSameUntilExpiry {
			t.Errorf("%+v: %d exchanges, an expired token for %s at most, %s: %v", kind, asked, worst, mode, broken)
		}
		if issued := o.get().Status.Issuance; issued == nil || issued.Count < 20 {
			t.Errorf("%+v: status.issuance is %+v, want a count of 20 or more", kind, issued)
		}
	}
}

// TestEndpointThatStopsRepeatingIsNoticed: an endpoint that stops repeating its token is noticed with the tenth token.
func TestEndpointThatStopsRepeatingIsNoticed(t *testing.T) {
	w, o := plainWorld(newWiring(t), func(line string) { t.Log(line) })
	broken := w.watched(func() {
		w.startReplica(0)
		h := w.vendors.hosts[oauthHost]
		h.sameUntilDead = true
		o.apply("oauth2")
		w.runFor(3 * time.Hour)
		if mode := o.get().Status.IssuanceMode; mode != v1alpha1.IssuanceModeSameUntilExpiry {
			w.violated("story", "after three hours the mode is %s", mode)
		}
		h.sameUntilDead, h.didRepeat = false, true
		w.runFor(10 * time.Hour)
		if mode := o.get().Status.IssuanceMode; mode != v1alpha1.IssuanceModeFresh {
			w.violated("story", "ten hours later the mode is %s", mode)
		}
		w.stayQuiet(3 * time.Hour)
	})
	if broken != nil {
		t.Error(broken)
	}
}

// TestEarlyRepeatsTeachNothing: a token repeated before its renewal was due does not change the issuance mode, and handles the request.
func TestEarlyRepeatsTeachNothing(t *testing.T) {
	wires := newWiring(t)
	for name, do := range map[string]func(*world, *object){
		"a request":       func(w *world, o *object) { refresh(o, "now") },
		"after a restart": func(w *world, o *object) { w.leader().kill(); refresh(o, "now") },
	} {
		w, o := plainWorld(wires, func(line string) { t.Log(line) })
		broken := w.watched(func() {
			w.startReplica(0)
			w.vendors.hosts[oauthHost].sameUntilDead = true
			o.apply("oauth2")
			w.runFor(10 * time.Minute)
			token, next := w.judge.tokenOf(o.target()), o.get().Status.NextRefreshTime
			do(w, o)
			w.runFor(2 * time.Minute)
			status := o.get().Status
			if w.judge.stats.exchanges != 2 || w.judge.tokenOf(o.target()) != token || !status.NextRefreshTime.Equal(next) ||
				status.IssuanceMode != v1alpha1.IssuanceModeFresh || status.RefreshPending || o.refreshed() != "TokenIssued" {
				w.violated("story", "%d exchanges, %s, %s", w.judge.stats.exchanges, status.IssuanceMode, shortStatus(&status))
			}
		})
		if broken != nil {
			t.Errorf("%s: %v", name, broken)
		}
	}
}

// TestOneActiveTokenIsRenewedAsLateAsPossible: where a new token revokes the old one, it is requested as late as possible, and an API that does not
// know it yet is waited for.
func TestOneActiveTokenIsRenewedAsLateAsPossible(t *testing.T) {
	w, o := plainWorld(newWiring(t), nil)
	var refused time.Duration
	broken := w.watched(func() {
		for _, h := range w.vendors.hosts {
			h.active = 1
		}
		w.vendors.learns = 90 * time.Second
		w.startReplica(0)
		o.apply("oauth2")
		o.edit(func(s *v1alpha1.CDPCredentialSpec) {
			s.Refresh = &v1alpha1.Refresh{Issuance: v1alpha1.IssuanceOneActive}
		})
		verified(w, o)
		w.runFor(time.Minute)
		for w.now < 24*time.Hour {
			w.runFor(time.Minute)
			if left := w.clockAt(o.get().Status.TokenExpirationTime) - w.clockAt(o.get().Status.NextRefreshTime); left != 90*time.Second {
				w.violated("story", "the renewal is due %s before expiry", left)
			}
		}
	})
	asked, mode := w.judge.stats.exchanges, o.get().Status.IssuanceMode
	if broken != nil || asked > 25 || mode != v1alpha1.IssuanceModeOneActive {
		t.Errorf("%d exchanges, %s, %s: %v", asked, refused, mode, broken)
	}
	t.Log(fmt.Sprint(asked, " exchanges in a day"))
}
