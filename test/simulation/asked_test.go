// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"cmp"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// asked judges an exchange when it is sent.
func (j *judge) asked(a *answer) {
	if j.off {
		return
	}
	w, p := j.w, a.pass
	obj := p.object
	j.stats.exchanges++
	if a.ask.update != "" {
		j.stats.updates++
	}
	if obj == nil {
		w.violated("exchanges", "an exchange for %s, which is not in the cache", p.name.Name)
	}
	if obj.Spec.Suspend {
		w.violated("suspend", "an exchange for %s, which is suspended", p.name.Name)
	}
	// A renewal patches a target that still exists, and finds out nothing. Each process finds out for itself: one may be killed during its exchange.
	cannotWrite := w.api.ending[obj.Namespace] && w.api.secrets[types.NamespacedName{Namespace: obj.Namespace, Name: obj.Spec.Target.Name}] == nil
	if f := j.file(obj.UID); cannotWrite && !w.byDeposed(a) {
		if f.foundEnding == p.replica {
			w.violated("ending", "a second exchange of one process for %s, whose namespace is being deleted", obj.Name)
		}
		f.foundEnding = p.replica
	}
	if w.byDeposed(a) {
		j.stats.deposed++
		return
	}
	f := j.file(obj.UID)
	cause := j.cause(a, f)
	if cause == "" {
		if !j.stale(p) {
			w.violated("exchanges", "a needless exchange for %s", p.name.Name)
		}
		cause = "stale cache"
		j.stats.stale++
		w.tell("STALE exchange for %s", p.name.Name)
	}
	j.stats.causes[cause]++
	w.tell("exchange for %s because of: %s", p.name.Name, cause)
	if request := obj.Annotations[v1alpha1.RefreshRequestedAtAnnotation]; request != "" && request != f.handled {
		f.handled, f.pending = request, true
	}
	firstAttempt := f.failed == nil // a retry of one that failed replaces no other token
	if cause == "no token" && f.last != nil && f.last.published && firstAttempt {
		j.restored(a, f)
	}
	j.tooSoon(a, f)
	j.paced(a, f)
	j.withinBudget(a, f)
}

// withinBudget requires that the budget of the day is not spent.
func (j *judge) withinBudget(a *answer, f *file) {
	refresh := a.pass.object.Spec.Refresh
	if refresh == nil || refresh.MaxPerDay == nil || a.ask.update != "" || j.stale(a.pass) {
		return
	}
	if day := f.dayOf(a.pass.replica.Now()); f.perDay[day] >= int(*refresh.MaxPerDay) {
		j.w.violated("budget", "an exchange for %s, which had %d tokens on %s, of %d a day", a.pass.name.Name, f.perDay[day], day, *refresh.MaxPerDay)
	}
}

// byDeposed reports whether the exchange is made by a deposed leader. It cannot know what its successor does, so its pace is not judged.
func (w *world) byDeposed(a *answer) bool { return a.pass.replica.deposed }

// cause returns why an exchange is needed, judging by what the API server has. Empty: it is not.
func (j *judge) cause(a *answer, f *file) string {
	w, obj := j.w, a.pass.object
	is := w.api.credentials[a.pass.name]
	if is == nil || is.UID != obj.UID {
		return ""
	}
	secret := j.held(is)
	rec := j.record(secret)
	switch {
	case rec == nil:
		return "no token"
	case w.vendors.tokens[rec.token] == nil:
		return "changed" // the current data is of basic
	}
	t := w.vendors.tokens[rec.token]
	request := obj.Annotations[v1alpha1.RefreshRequestedAtAnnotation]
	switch {
	case w.now >= earliestRenewal(rec, obj):
		return "renewal"
	case t.first.pass.object.Spec.ClientSecretRef.Name != obj.Spec.ClientSecretRef.Name:
		return "changed" // even if the values are the same
	case rec.request != a.ask.request && (a.ask.update == "" || rec.request.resources != a.ask.resources):
		return "changed"
	case request != "" && request != f.handled || f.pending:
		return "requested"
	case t.refused && rec.Cause != "Rejected":
		return "rejected"
	}
	return ""
}

// earliestRenewal is RenewAt with the largest jitter.
func earliestRenewal(rec *written, obj *v1alpha1.CDPCredential) time.Duration {
	lifetime := rec.expires - rec.issued
	return rec.expires - leadOf(lifetime, obj) - lifetime/10
}

func leadOf(lifetime time.Duration, obj *v1alpha1.CDPCredential) time.Duration {
	lead := max(lifetime/4, 150*time.Second)
	if r := obj.Spec.Refresh; r != nil && r.Before != nil {
		lead = r.Before.Duration
	}
	if r := obj.Spec.Refresh; r != nil && r.Issuance == v1alpha1.IssuanceOneActive {
		lead = min(lead, 90*time.Second)
	}
	return min(lead, lifetime/2)
}

// tooSoon requires ten seconds between two tokens of an object.
func (j *judge) tooSoon(a *answer, f *file) {
	last := f.last
	if last == nil || a.ask.update != "" || a.sent-last.sent >= 10*time.Second {
		return
	}
	switch other := last.pass.replica; {
	case other == a.pass.replica || !other.dead && !other.deposed:
	case !last.published || !j.known(last, a.pass.replica):
		return // its process died before writing it, or this one cannot find it: a user removed the annotation or renamed the target
	case j.stale(a.pass) && (other.deposed || a.pass.object.Status.LastRefreshTime == nil):
		return // an earlier process wrote it, but this one looked before that or started with an old list
	}
	if is := j.w.api.credentials[a.pass.name]; is == nil || is.UID != a.pass.object.UID {
		return // it was deleted, and perhaps created again: nothing is counted for it any more
	}
	j.w.violated("interval", "an exchange for %s %s after its last token", a.pass.name.Name, a.sent-last.sent)
}

// known reports whether a process can learn of a token from the object's Secret or status; an earlier leader may have written it to a target that has
// since been renamed. If only status has it, without a clock reading, a process cannot know that its own clock differs.
func (j *judge) known(a *answer, to *replica) bool {
	obj := j.w.api.credentials[a.pass.name]
	if obj == nil {
		return false
	}
	if rec := j.record(j.held(obj)); rec != nil && rec.token == a.token.value {
		return true
	}
	told, from := obj.Status.LastRefreshTime, a.pass.replica
	if last := obj.Status.LastAttempt; (last == nil || last.Clock == nil) && to.local().Sub(from.local()).Abs() >= clockNoise {
		return false
	}
	return told != nil && !told.Time.Before(a.pass.replica.at(a.sent).Truncate(time.Second))
}

// paced judges the time since a failed attempt.
func (j *judge) paced(a *answer, f *file) {
	failed := f.failed
	if failed == nil {
		return
	}
	if failed.pass.replica != a.pass.replica && !failed.saved {
		f.failed, f.failures = nil, 0 // that process was killed before it could write status, and took the count with it
		return
	}
	if failed.pass.replica != a.pass.replica && j.stale(a.pass) {
		return
	}
	obj, since := a.pass.object, a.sent-failed.received
	least := time.Duration(0)
	switch failed.failure {
	case throttled:
		least = 30 * time.Second
		for range f.failures - 1 {
			least = min(2*least, 5*time.Minute)
		}
		if failed.retryAfter >= 0 {
			least = failed.retryAfter
		}
		if failed.ask.request != a.ask.request {
			return // another client or another request
		}
	case rejected:
		least = 15 * time.Minute
		for range f.failures - 1 {
			least = min(2*least, time.Hour)
		}
		if failed.held() {
			left := max(failed.left-clockNoise, 0)
			least = min(least, max(left/4, min(time.Minute, left/2)))
		}
	}
	if failed.failure != throttled {
		said := failed.retryAfter
		if failed.held() {
			said = min(said, max(failed.left-clockNoise, 0)/2)
		}
		least = max(least, said)
	}
	least = max(least, 10*time.Second)
	if since >= least {
		return
	}
	changed := j.userChanged(failed.history, obj)
	if failed.failure == throttled && changed && since >= 10*time.Minute {
		return // a user insists
	}
	// Another process cannot tell whether a changed client Secret still has the same values.
	if (failed.failure != throttled || failed.pass.replica != a.pass.replica) && changed && j.mayBeEarly(a, f, failed, since) {
		return
	}
	j.w.violated("pacing", "%s was tried again after %s, not %s; the last answer was: %s", a.pass.name.Name, since, least, failed.answer)
}

// mayBeEarly reports whether a change justifies an attempt so soon after a failed one.
func (j *judge) mayBeEarly(a *answer, f *file, failed *failedAttempt, since time.Duration) bool {
	least := 10 * time.Second
	if failed.failure == rejected {
		least = time.Minute
	}
	if since >= least {
		return true
	}
	recent := 0
	for _, other := range f.early {
		if a.sent-other.sent < 10*time.Minute && other.pass.replica == a.pass.replica {
			recent++
		}
	}
	f.early = append(f.early, a)
	return recent < 3
}

// answered records the answer when the operator receives it.
func (j *judge) answered(a *answer) {
	if j.off {
		return
	}
	w, obj := j.w, a.pass.object
	f := j.file(obj.UID)
	o := j.object(a.pass.name)
	if a.doubtful {
		j.obstruct(o, 2*time.Minute)
		f.failed = nil
		return
	}
	if a.token != nil && a.failure == none {
		j.stats.issued++
		if a.ask.update == "" && !a.again() {
			f.last = a
		}
		return
	}
	if a.ask.update != "" && a.failure == rejected {
		return // the operator will request a new token
	}
	if rec := cmp.Or(j.record(j.held(obj)), j.deletedUnseen(a.pass)); rec != nil {
		a.had, a.left = true, rec.expires-w.now
	}
	j.obstruct(o, a.longestWait())
}

// deletedUnseen returns the state annotation of a target whose deletion the cache does not show yet. Nil: there is none.
func (j *judge) deletedUnseen(p *pass) *written {
	name := types.NamespacedName{Namespace: p.name.Namespace, Name: p.object.Spec.Target.Name}
	cached, ok := p.replica.cache.secrets.get(name)
	if !ok || j.w.api.secrets[name] != nil || p.secrets[name] != cached.ResourceVersion {
		return nil
	}
	return j.written[cached.Annotations[v1alpha1.StateAnnotation]]
}

// held reports whether the current token may have seemed valid when the answer came. One that expired just then may be seen either way.
func (a *answer) held() bool { return a.had && a.left > -clockNoise }

// longestWait is how long the next attempt may take after a failed one: section 4 of the contract, and one second because times in status are rounded
// up.
func (a *answer) longestWait() time.Duration {
	left := a.left + clockNoise
	switch {
	case a.failure == throttled:
		return max(a.retryAfter, 8*time.Minute) + time.Second
	case !a.had || a.left < clockNoise:
		return max(map[failureKind]time.Duration{rejected: time.Hour, unavailable: 5 * time.Minute}[a.failure], a.retryAfter) + time.Second
	case a.failure == rejected:
		return max(left/4, min(time.Minute, left/2), 10*time.Second, min(a.retryAfter, left/2)) + time.Second
	}
	return max(min(left/4, 5*time.Minute), 10*time.Second, min(a.retryAfter, left/2)) + time.Second
}
