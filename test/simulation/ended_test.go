// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// passEnded judges a reconcile by its results.
func (j *judge) passEnded(p *pass) {
	if j.off {
		return
	}
	if a := p.answer; a != nil && p.err != nil && a.failure != none && a.received != 0 {
		j.remember(p) // this process knows of it, even if status was not written
	}
	if p.cut && p.object != nil {
		j.file(p.object.UID).failures = 0 // the count is of consecutive failures of one kind, and this is another kind
	}
	if p.err == nil && !p.cut && p.object != nil && !j.mutated() {
		j.agreement(p)
	}
	defer func() {
		// The first attempt for a new object is made without confirming with the API server. If it fails, the next one confirms. One that has confirmed
		// and waits for its turn does not do it again.
		asked := p.counts()["get "+p.name.Name] > 0
		if p.object == nil {
			return
		}
		// A process whose create came too late, after that of a deposed leader, confirms once more.
		tooLate := p.answer != nil && !p.answer.published && p.counts()["create"] > 0
		attempted := p.answer != nil && (p.answer.token != nil || asked)
		awaitsTurn := asked && j.quiet && j.awaitsTurn(p)
		if attempted && !tooLate || awaitsTurn {
			p.replica.asked[p.object.UID] = true
		}
	}()
	if j.quiet {
		j.quietly(p)
	}
}

func (j *judge) passKilled(p *pass) {
	j.stats.killed++
	if p.answer != nil && p.answer.token != nil && !p.answer.published {
		j.stats.lost++
	}
}

func (j *judge) replicaEnded(*replica) { j.obstruct(nil, 0) }

// statusLost forgets what only status knew.
func (j *judge) statusLost(o *object) {
	f := j.file(o.get().UID)
	f.failed, f.failures, f.early = nil, 0, nil
	f.perDay = map[string]int{}
	f.handled = ""
	f.wiped = len(j.w.api.changes)
}

// agreement requires that status and target agree after a reconcile during which nothing else changed.
func (j *judge) agreement(p *pass) {
	w := j.w
	if p.replica.deposed || w.changedSince(p) || p.undecided() {
		return
	}
	if p.counts()["status"] == 0 && p.result.RequeueAfter > time.Millisecond && p.result.RequeueAfter <= 100*time.Millisecond {
		return // another reconcile is just finding out whether the namespace is being deleted
	}
	obj := w.api.credentials[p.name]
	if obj == nil || obj.UID != p.object.UID {
		return
	}
	o := j.object(p.name)
	target := o.target()
	rec := j.record(target)
	holds := rec != nil && owner(target) == obj.Name && rec.Object == obj.Name
	// Whether a token that expires at this very moment is still valid may be answered either way.
	alive := holds && rec.good(w.now)
	remade, ended := w.api.remadeAt[obj.Namespace]
	ending := w.api.ending[obj.Namespace] || ended && w.now-remade < endingAgain
	if ending || len(p.requests) == 0 && p.result.RequeueAfter > 0 && p.result.RequeueAfter < time.Second {
		return // nothing is reported for objects of a namespace that is being deleted, or before it is known whether it is
	}
	ready := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionReady)
	differs := func(what string) {
		w.violated("agreement", "status of %s does not agree with its target: %s", obj.Name, what)
	}
	if ready == nil {
		if p.result.RequeueAfter == 0 {
			differs("no condition Ready")
		}
		return
	}
	if said := ready.Status == metav1.ConditionTrue; said != alive && (!holds || (rec.expires-w.now).Abs() > time.Second) && !(said && holds && j.expiredDuring(p, rec)) {
		differs("Ready is " + string(ready.Status) + " " + ready.Reason)
	}
	if !alive || j.waiting(p) || meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionRefreshed) == nil {
		return
	}
	f := j.file(obj.UID)
	if p.answer != nil && p.history >= f.wiped {
		f.wiped = 0
	}
	// An object that waits for its turn may not have processed the new generation, or may have updated only what status says about the target.
	if obj.Status.ObservedGeneration != obj.Generation && f.wiped == 0 && !p.toldOfTheTarget(obj) {
		differs("observedGeneration is behind")
	}
	if obj.Status.TargetName != target.Name {
		differs("targetName is another one: " + obj.Status.TargetName)
	}
	if told := obj.Status.TargetVersion; told != "" && told != string(target.UID)+"/"+target.ResourceVersion && !p.leftTarget(obj) {
		differs("targetVersion is another one")
	}
	if t := obj.Status.TokenExpirationTime; (t == nil) != rec.ExpiresAt.IsZero() || t != nil && !t.Time.Equal(rec.ExpiresAt.Truncate(time.Second)) && !p.replica.onItsClock(t.Time, rec) {
		differs("tokenExpirationTime is another one")
	}
}

// endingAgain is how long a process relies on the answer that a namespace is being deleted, plus a second.
const endingAgain = 21 * time.Second

// mutated reports whether a webhook changed a write so recently that the caches may not show it.
func (j *judge) mutated() bool {
	return j.w.api.mutatedAt > 0 && j.w.now-j.w.api.mutatedAt < 15*time.Second
}

// onItsClock reports whether a time in status is the expiry of a token by a replica's clock. The target may still show it by another clock, while
// something prevents the rewrite.
func (r *replica) onItsClock(t time.Time, rec *written) bool {
	return (r.trueTime(t, r.w.now) - rec.expires).Abs() <= clockNoise
}

// undecided reports whether a reconcile ended before it found anything out: a read was refused, or it requeues at once without having made a request.
func (p *pass) undecided() bool {
	return p.refused || len(p.requests) == 0 && p.result.RequeueAfter > 0 && p.result.RequeueAfter <= 100*time.Millisecond
}

// expiredDuring reports whether a token expired while a reconcile waited for the API server, too late to be reported with what it wrote. It must then
// requeue at once.
func (j *judge) expiredDuring(p *pass, rec *written) bool {
	if rec == nil {
		return false
	}
	left := rec.expires - j.w.now
	return left <= 0 && -left < j.w.now-p.began && p.result.RequeueAfter > 0 && p.result.RequeueAfter <= time.Millisecond
}

// waiting reports whether a reconcile found that it is not its turn, which it does not report.
func (j *judge) waiting(p *pass) bool {
	if a := p.answer; a != nil && a.ask.update != "" && a.failure == rejected {
		return true
	}
	for _, request := range p.requests {
		if request == "patch status" || request == "exchange" {
			return false
		}
	}
	return p.result.RequeueAfter > 0
}

// toldOfTheTarget reports whether a reconcile that waits for its turn changed only what status says about the target, or also wrote what an earlier
// one could not: waiting is no news, but a token that is available again is, as after a rename to a Secret that has one. If status was written by
// another process, all its times move to this one's clock.
func (p *pass) toldOfTheTarget(obj *v1alpha1.CDPCredential) bool {
	if p.before == nil || p.answer != nil || p.result.RequeueAfter == 0 {
		return false
	}
	if p.late {
		return true
	}
	rest := func(s *v1alpha1.CDPCredentialStatus) *v1alpha1.CDPCredentialStatus {
		s = s.DeepCopy()
		s.TargetName, s.TargetVersion, s.TokenExpirationTime, s.GrantedScopes, s.LastRefreshTime, s.Issuance = "", "", nil, nil, nil, nil
		s.NextRefreshTime, s.Reason = nil, "" // the time is unknown until its turn comes; the reason is a condition's
		meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionReady)
		withoutTimes(s)
		return s
	}
	return equality.Semantic.DeepEqual(rest(&p.before.Status), rest(&obj.Status))
}

// leftTarget reports whether a reconcile that waits for its turn reported nothing about the target: it moved the times of status to its own clock, or
// reported a delay. A change of the target's metadata by others is reported only when the target is written.
func (p *pass) leftTarget(obj *v1alpha1.CDPCredential) bool {
	counts := p.counts()
	if p.before == nil || counts["create"]+counts["patch"]+counts["delete"] > counts["status"] || p.before.Status.TargetVersion != obj.Status.TargetVersion {
		return false
	}
	return p.toldOfTheTarget(obj) || p.toldHoldUp(obj)
}

// toldHoldUp reports whether a reconcile that waits for its turn reported a delay: trouble of the endpoint, or our own limits.
func (p *pass) toldHoldUp(obj *v1alpha1.CDPCredential) bool {
	if p.answer != nil || p.result.RequeueAfter == 0 {
		return false
	}
	was := meta.FindStatusCondition(p.before.Status.Conditions, v1alpha1.ConditionRefreshed)
	is := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionRefreshed)
	news := is != nil && (was == nil || was.Message != is.Message)
	return news && (is.Reason == v1alpha1.ReasonThrottled || is.Reason == v1alpha1.ReasonEndpointUnavailable)
}

// withoutTimes removes the times that depend on the clock, but keeps how many there are.
func withoutTimes(s *v1alpha1.CDPCredentialStatus) {
	s.EarlyAttempts = make([]metav1.Time, len(s.EarlyAttempts))
	if s.RepeatedUntil != nil {
		s.RepeatedUntil = &metav1.Time{}
	}
	if s.LastAttempt != nil {
		s.LastAttempt.Time, s.LastAttempt.Clock = nil, nil
	}
	if s.Contest != nil {
		s.Contest.Until = metav1.Time{}
	}
}

// changedSince reports whether anything in the namespace was changed by anyone but this reconcile since it began, or its cache was behind then.
func (w *world) changedSince(p *pass) bool {
	for _, c := range w.api.changes[p.history:] {
		if c.by != p && c.name.Namespace == p.name.Namespace {
			return true
		}
	}
	return p.behind
}

// quietly judges a reconcile in a world in which nothing happens: it makes no request, renews at the promised price, or verifies.
func (j *judge) quietly(p *pass) {
	counts := p.counts()
	expensive := func(why string) {
		j.w.violated("silence", "a reconcile of %s made %q: %s", p.name.Name, p.requests, why)
	}
	exchanges, verifies := counts["exchange"], counts["verify"]
	reads := counts["get"]
	if p.object != nil && p.object.Spec.Verify != nil && counts["get "+p.object.Spec.Target.Name] > 0 {
		reads-- // right after a renewal the cache may not show the Secret yet
	}
	if asked := counts["get "+p.name.Name]; asked > 0 {
		if p.replica.asked[p.object.UID] {
			expensive("it has read the object from the API server before")
		}
		reads -= 2 // the object and its target are read before the first exchange of a process
	}
	writes := counts["patch"] + counts["create"] + counts["delete"]
	usesSpare := p.publishesSpare && exchanges == 0 && verifies == 0
	switch {
	case p.expired && exchanges == 0 && writes == 1 && (j.expect(j.object(p.name)) != "" || j.w.repeats(p.object)):
		// A suspended or blocked object reports the expiry of its token, as does one whose token cannot be renewed before it expires.
	case verifies == 1 && exchanges == 0 && writes == 1 && counts["status"] == 1 && firstVerdict(p.object):
		// The API repeated its verdict, but for another generation of the object.
	case exchanges == 0 && writes == 0 && counts["get"] == 1 && p.object.Spec.Verify != nil && j.lacksValue(j.object(p.name)):
		// A verification without a value that must be sent with the token; whether a renewal is blocked, too, does not matter.
	case exchanges == 0 && verifies == 0 && writes == 0 && counts["get "+p.name.Name] == 1 && reads == 1 && j.awaitsTurn(p):
		// Before its first exchange a process checks its cache against the API server; then the gate may have no place.
	case usesSpare && writes == 2 && counts["status"] == 1:
		// A deposed leader wrote its token first. Before another one is requested, the token that came too late is used.
	case exchanges == 0 && verifies == 0 && reads+writes > 0:
		expensive("there was nothing to do")
	case exchanges == 0 && writes > 0:
		expensive("there was nothing to write")
	case exchanges == 1 && p.answer.failure == rejected && writes == 1 && counts["status"] == 1 && j.expect(j.object(p.name)) != "":
		// A user left values that the vendor rejects, and they are retried now and then; paced judges how often.
	case exchanges == 1 && p.answer.again() && writes == 0:
		// The current token was returned right after its expiry; it is requested once more.
	case exchanges == 1 && p.answer.again() && writes == 1 && counts["status"] == 1:
		// The current token was returned: nothing needs to be written into the target.
	case exchanges == 1 && (counts["status"] != 1 || writes != 2):
		expensive("a renewal is one write of the target and one of status")
	case reads > 1+verifies || exchanges > 1 || verifies > 1:
		expensive("too many reads")
	case p.err != nil:
		expensive("it failed")
	}
}

// awaitsTurn reports whether a reconcile requeues for a renewal that is due.
func (j *judge) awaitsTurn(p *pass) bool {
	rec := j.record(j.held(p.object))
	return p.result.RequeueAfter > 0 && rec != nil && j.w.now >= earliestRenewal(rec, p.object)
}

// counts returns the number of requests by verb, and of status patches and reads by name.
func (p *pass) counts() map[string]int {
	counts := map[string]int{}
	for _, request := range p.requests {
		verb, rest, _ := strings.Cut(request, " ")
		counts[verb]++
		if verb == "get" {
			counts["get "+rest[strings.Index(rest, " ")+1:]]++
		}
		if request == "patch status" {
			counts["status"]++
		}
	}
	return counts
}

// firstVerdict reports whether the API has not been asked since the object was changed.
func firstVerdict(obj *v1alpha1.CDPCredential) bool {
	c := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionVerified)
	return c != nil && c.ObservedGeneration < obj.Generation
}
