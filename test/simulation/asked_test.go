// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"cmp"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// asked judges an exchange at the moment at which it is sent.
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
		w.violated("exchanges", "an exchange for %s, which the cache does not have", p.name.Name)
	}
	if obj.Spec.Suspend {
		w.violated("suspend", "an exchange for %s, which is suspended", p.name.Name)
	}
	if f := j.file(obj.UID); w.api.ending[obj.Namespace] && !w.seconds(a) {
		if f.ending++; f.ending > 1 { // the first one finds out; a leader of before, which goes on for a moment, does so for itself
			w.violated("ending", "%d exchanges for %s, whose namespace is being deleted", f.ending, obj.Name)
		}
	}
	if w.seconds(a) {
		j.stats.deposed++
		return
	}
	f := j.file(obj.UID)
	cause := j.cause(a, f)
	if cause == "" {
		if !j.stale(p) {
			w.violated("exchanges", "an exchange for %s that nothing calls for", p.name.Name)
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
	if cause == "no token" && f.last != nil && f.last.published {
		j.restored(a, f)
	}
	j.tooSoon(a, f)
	j.paced(a, f)
	j.withinBudget(a, f)
}

// withinBudget judges that the day has a token left.
func (j *judge) withinBudget(a *answer, f *file) {
	refresh := a.pass.object.Spec.Refresh
	if refresh == nil || refresh.MaxPerDay == nil || a.ask.update != "" || j.stale(a.pass) {
		return
	}
	if day := f.dayOf(a.pass.replica.Now()); f.perDay[day] >= int(*refresh.MaxPerDay) {
		j.w.violated("budget", "a token for %s, which had %d on %s, of %d", a.pass.name.Name, f.perDay[day], day, *refresh.MaxPerDay)
	}
}

// seconds says whether another leader is at work as well: the old one knows nothing of it, and is not judged by how often it asks.
func (w *world) seconds(a *answer) bool { return a.pass.replica.deposed }

// cause is why an exchange is called for, by what is in the API server. Empty: for nothing.
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
		return "changed" // from basic
	}
	t := w.vendors.tokens[rec.token]
	request := obj.Annotations[v1alpha1.RefreshRequestedAtAnnotation]
	switch {
	case w.now >= earliestRenewal(rec, obj):
		return "renewal"
	case t.first.pass.object.Spec.ClientSecretRef.Name != obj.Spec.ClientSecretRef.Name:
		return "changed" // whatever the values are
	case rec.request != a.ask.request && (a.ask.update == "" || rec.request.resources != a.ask.resources):
		return "changed"
	case request != "" && request != f.handled || f.pending:
		return "requested"
	case t.refused && rec.Cause != "Rejected":
		return "rejected"
	}
	return ""
}

// earliestRenewal is renewAt with the most jitter.
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

// tooSoon judges the time between two tokens of one object.
func (j *judge) tooSoon(a *answer, f *file) {
	last := f.last
	if last == nil || a.ask.update != "" || a.sent-last.sent >= 10*time.Second {
		return
	}
	switch other := last.pass.replica; {
	case other == a.pass.replica || !other.dead && !other.deposed:
	case !last.published || !j.known(last, a.pass.replica):
		return // it died with its process, or came to a leader of before, and is not where this one looks: a user has taken the record, or another target is wanted
	case j.stale(a.pass) && (other.deposed || a.pass.object.Status.LastRefreshTime == nil):
		return // it came to a process of before, and was not there yet when this one looked, or in the old list that it has begun with
	}
	if is := j.w.api.credentials[a.pass.name]; is == nil || is.UID != a.pass.object.UID {
		return // it has been deleted, and perhaps applied again: nobody counts for it any more
	}
	j.w.violated("interval", "a token for %s %s after the one before", a.pass.name.Name, a.sent-last.sent)
}

// known says whether an object's Secret or status tells a process of a token: a leader of before may have put it under a name of before. Where only
// status tells of it, with nothing beside it that says on which clock, a process cannot know that its clock differs.
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

// paced judges the time after a failed attempt.
func (j *judge) paced(a *answer, f *file) {
	failed := f.failed
	if failed == nil {
		return
	}
	if failed.pass.replica != a.pass.replica && !failed.saved {
		f.failed, f.failures = nil, 0 // that process was killed before it could tell anybody, and took the count with it
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
			return // another client, or another request
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
		return // somebody insists
	}
	// Another process cannot tell whether a client Secret that has changed still has the same values.
	if (failed.failure != throttled || failed.pass.replica != a.pass.replica) && changed && j.mayBeEarly(a, f, failed, since) {
		return
	}
	j.w.violated("pacing", "%s asked again after %s, not %s, of which the last answer was: %s", a.pass.name.Name, since, least, failed.answer)
}

// mayBeEarly says whether a change may have an attempt made so soon after a failed one.
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

// answered learns from an answer, at the moment at which the operator has it.
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
		return // a new token will do
	}
	if rec := cmp.Or(j.record(j.held(obj)), j.deletedUnseen(a.pass)); rec != nil {
		a.had, a.left = true, rec.expires-w.now
	}
	j.obstruct(o, a.longestWait())
}

// deletedUnseen is the record on a target that was deleted, of which the watch that a pass goes by has not heard. Nil: there is none.
func (j *judge) deletedUnseen(p *pass) *written {
	name := types.NamespacedName{Namespace: p.name.Namespace, Name: p.object.Spec.Target.Name}
	cached, ok := p.replica.cache.secrets.get(name)
	if !ok || j.w.api.secrets[name] != nil || p.secrets[name] != cached.ResourceVersion {
		return nil
	}
	return j.written[cached.Annotations[v1alpha1.StateAnnotation]]
}

// held says whether a token was held when the answer came that may have seemed alive: one that ends just then is on both sides.
func (a *answer) held() bool { return a.had && a.left > -clockNoise }

// longestWait is the latest time at which the next attempt is due after a failed one: section 4 of the contract, and a second as status has whole ones.
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
