// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// pacing are scenarios of failures and what follows, each of which an adversarial review has seen go wrong. Each starts with an object that has its
// first token.
var pacing = []struct {
	name, provider string
	do             func(w *world, o *object) string
}{
	{"a stray 403 at the renewal of a 15 minute token", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
		refresh(o, "now")
		w.runFor(time.Minute)
		w.vendors.hosts[oauthHost].stray = 403
		return o.staysAlive(time.Hour)
	}},
	{"a 503 with a Retry-After of an hour (half of the host's maximum) at the renewal of a 15 minute token", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
		refresh(o, "now")
		w.runFor(time.Minute)
		w.vendors.hosts[oauthHost].trouble, w.vendors.hosts[oauthHost].retryAfter = serverErrorRetryAfter, 7200
		for end := w.now + time.Hour; o.refreshed() != v1alpha1.ReasonEndpointUnavailable; w.runFor(time.Second) {
			if w.now > end {
				return "the renewal was not attempted"
			}
		}
		w.vendors.hosts[oauthHost].trouble = fine
		return o.staysAlive(time.Hour)
	}},
	{"thirty refresh requests in nine seconds, with wrong credentials", "oauth2", func(w *world, o *object) string {
		w.vendors.secrets[o.clientID("a")] = "another"
		asked := w.judge.stats.exchanges
		for i := range 30 {
			refresh(o, fmt.Sprint(i))
			w.runFor(300 * time.Millisecond)
		}
		w.runFor(51 * time.Second)
		if n := w.judge.stats.exchanges - asked; n != 1 {
			return fmt.Sprintf("within a minute the endpoint was called %d times, want 1", n)
		}
		w.runFor(time.Minute)
		if n := w.judge.stats.exchanges - asked; n != 2 || o.get().Status.LastHandledRefreshRequest != "29" {
			return fmt.Sprintf("within two minutes the endpoint was called %d times, want 2: %s", n, shortStatus(&o.get().Status))
		}
		return ""
	}},
	{"thirty refresh requests, each with a new process", "oauth2", func(w *world, o *object) string {
		w.vendors.secrets[o.clientID("a")] = "another"
		asked, began := w.judge.stats.exchanges, w.now
		for i := range 30 {
			refresh(o, fmt.Sprint(i))
			w.runFor(2 * time.Second)
			w.restart()
		}
		if n, most := w.judge.stats.exchanges-asked, int((w.now-began)/time.Minute)+1; n > most {
			return fmt.Sprintf("within %s the endpoint was called %d times", w.now-began, n)
		}
		return ""
	}},
	{"a provider that changes every second and is rejected", "oauth2", func(w *world, o *object) string {
		w.vendors.secrets[o.clientID("a")] = "another"
		asked := w.judge.stats.exchanges
		for i := range 120 {
			o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Provider.OAuth2.Audience = fmt.Sprint(i) })
			w.runFor(time.Second)
		}
		if n := w.judge.stats.exchanges - asked; n > 6 { // the first, the three early ones that changes are allowed, and two more
			return fmt.Sprintf("within two minutes the endpoint was called %d times, want at most 6", n)
		}
		return ""
	}},
	{"a rejected secret that is corrected at once", "oauth2", func(w *world, o *object) string {
		name := o.secret(o.clientSecretNames()[0])
		right := w.api.secrets[name].Data["client-secret"]
		w.api.editSecret(name, func(s *corev1.Secret) { s.Data["client-secret"] = []byte("wrong") })
		w.runFor(15 * time.Second)
		if said := o.refreshed(); said != v1alpha1.ReasonCredentialsRejected {
			return "Refreshed is " + said
		}
		w.api.editSecret(name, func(s *corev1.Secret) { s.Data["client-secret"] = right; s.Data["other"] = []byte("x") })
		w.runFor(2 * time.Second)
		if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued {
			return "two seconds later, Refreshed is " + said
		}
		return ""
	}},
	{"tokens that cannot be used, with a budget of three", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].lifetime = 0
		o.edit(func(s *v1alpha1.CDPCredentialSpec) { s.Refresh = &v1alpha1.Refresh{MaxPerDay: new(int32(3))} })
		issued := w.judge.stats.issued
		refresh(o, "now")
		w.runFor(5 * time.Minute)
		w.restart()
		w.runFor(10 * time.Hour)
		if n := w.judge.stats.issued - issued; n != 2+3 { // the first token of the object counts, too, and there is a midnight in between
			return fmt.Sprintf("%d more tokens were issued", n)
		}
		if said := o.refreshed(); said != v1alpha1.ReasonBudgetSpent {
			return "Refreshed is " + said
		}
		return ""
	}},
	{"the API rejects the token, the exchange fails, and the process ends", "oauth2", func(w *world, o *object) string {
		w.vendors.hosts[oauthHost].trouble = unauthorized
		w.vendors.hosts[apiHost].trouble = rejectingTokens
		asked := w.judge.stats.exchanges
		verified(w, o)
		w.runFor(5 * time.Second)
		for range 5 {
			w.restart()
			w.runFor(30 * time.Second)
		}
		if n := w.judge.stats.exchanges - asked; n != 1 {
			return fmt.Sprintf("the endpoint was called %d times, want 1", n)
		}
		return ""
	}},
	{"something resets the token key", "oauth2", func(w *world, o *object) string {
		asked := w.judge.stats.exchanges
		reset := func(s *corev1.Secret) { s.Data["token"] = []byte("of somebody else") }
		if wrong := o.contest(reset, 3*time.Minute); wrong != "" {
			return wrong
		}
		w.restart()
		if wrong := o.contest(reset, 57*time.Minute); wrong != "" {
			return wrong
		}
		if n := w.judge.stats.exchanges - asked; n > 15 { // 0, 10, 20, 40, 80 s and so on up to ten minutes, each after the previous one
			return fmt.Sprintf("within an hour the endpoint was called %d times, want at most 15", n)
		}
		return o.isLeftAlone()
	}},
	{"something resets what basic writes", "basic", func(w *world, o *object) string {
		if wrong := o.contest(func(s *corev1.Secret) { s.Data["authorization"] = []byte("of somebody else") }, time.Hour); wrong != "" {
			return wrong
		}
		return o.isLeftAlone()
	}},
	{"something removes our label", "oauth2", func(w *world, o *object) string {
		asked := w.judge.stats.exchanges
		if wrong := o.contest(func(s *corev1.Secret) { delete(s.Labels, v1alpha1.ManagedByLabel) }, 30*time.Minute); wrong != "" {
			return wrong
		}
		if w.judge.stats.exchanges != asked {
			return "a token was requested"
		}
		// The contest does not delay the renewal.
		w.runFor(10 * time.Minute)
		if w.judge.stats.exchanges != asked+1 {
			return "the token was not renewed"
		}
		return o.isLeftAlone()
	}},
	{"something removes our state annotation", "oauth2", func(w *world, o *object) string {
		asked := w.judge.stats.exchanges
		if wrong := o.contest(func(s *corev1.Secret) { delete(s.Annotations, v1alpha1.StateAnnotation) }, time.Hour); wrong != "" {
			return wrong
		}
		if n := w.judge.stats.exchanges - asked; n > 15 {
			return fmt.Sprintf("within an hour the endpoint was called %d times, want at most 15", n)
		}
		return o.isLeftAlone()
	}},
	{"a person edits the target now and then", "oauth2", func(w *world, o *object) string {
		for i := range 20 {
			o.editTarget(func(s *corev1.Secret) { s.Labels[v1alpha1.ManagedByLabel] = fmt.Sprint(i) })
			w.runFor(3 * time.Second)
			if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued || o.target().Labels[v1alpha1.ManagedByLabel] != v1alpha1.ManagedBy {
				return "the label was not restored at once, Refreshed is " + said
			}
			w.runFor(20 * time.Second)
		}
		return ""
	}},
}

// contest lets somebody undo what the operator writes, within a second of each write, for a while.
func (o *object) contest(undo func(*corev1.Secret), d time.Duration) string {
	w, writes := o.w, 0
	version := ""
	for end := w.now + d; w.now < end; w.runFor(time.Second) {
		if target := o.target(); target.ResourceVersion != version {
			o.editTarget(undo)
			version = o.target().ResourceVersion
			writes++
		}
		if w.now > end-d+time.Minute && o.refreshed() != v1alpha1.ReasonTargetContested {
			return fmt.Sprintf("at %s Refreshed is %s", w.now, o.refreshed())
		}
	}
	if most := 10 + int(d/(10*time.Minute)) + 6; writes > most {
		return fmt.Sprintf("within %s the target was written %d times", d, writes)
	}
	return ""
}

// isLeftAlone returns what is wrong a while after a contest.
func (o *object) isLeftAlone() string {
	o.w.runFor(25 * time.Minute)
	if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued || o.get().Status.Contest != nil {
		return "a while later, Refreshed is " + said
	}
	return ""
}

// restart ends the leader and waits for the next one.
func (w *world) restart() {
	w.leader().kill()
	for w.leader() == nil {
		w.runFor(time.Second)
	}
}

// staysAlive advances and returns when the target has no valid token. Empty: it always has one, and Refreshed is True at the end.
func (o *object) staysAlive(d time.Duration) string {
	w := o.w
	for end := w.now + d; w.now < end; w.runFor(time.Second) {
		if rec := w.judge.record(o.target()); rec == nil || !w.local().Before(rec.ExpiresAt) {
			return fmt.Sprintf("at %s the target has no valid token", w.now)
		}
	}
	if said := o.refreshed(); said != v1alpha1.ReasonTokenIssued {
		return "Refreshed is " + said
	}
	return ""
}

func TestPacingOfEachVendor(t *testing.T) {
	wires := newWiring(t)
	for _, story := range pacing {
		t.Run(story.name, func(t *testing.T) {
			w, o := plainWorld(wires, func(line string) { t.Log(line) })
			broken := w.watched(func() {
				w.startReplica(0)
				o.apply(story.provider)
				w.runFor(30 * time.Second)
				if wrong := story.do(w, o); wrong != "" {
					w.violated("story", "%s", wrong)
				}
			})
			if broken != nil {
				t.Error(broken)
			}
		})
	}
}
