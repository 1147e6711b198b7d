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

// passEnded judges a pass by what it leaves.
func (j *judge) passEnded(p *pass) {
	if j.off {
		return
	}
	if a := p.answer; a != nil && p.err != nil && a.failure != none && a.received != 0 {
		j.remember(p) // this process knows of it, whatever became of its status
	}
	if p.cut && p.object != nil {
		j.file(p.object.UID).failures = 0 // another kind of failure came between: the count is of one kind in a row
	}
	if p.err == nil && !p.cut && p.object != nil && !j.mutated() {
		j.agreement(p)
	}
	defer func() {
		// The first attempt for a new object is made without asking for it. If it fails, the next one asks. One that has asked and waits for its turn does
		// not ask again.
		asked := p.counts()["get "+p.name.Name] > 0
		if p.object == nil {
			return
		}
		if p.answer != nil && (p.answer.token != nil || asked) || asked && j.quiet && j.awaitsTurn(p) {
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

// statusLost forgets what status alone knew.
func (j *judge) statusLost(o *object) {
	f := j.file(o.get().UID)
	f.failed, f.failures, f.early = nil, 0, nil
	f.perDay = map[string]int{}
	f.handled = ""
	f.wiped = len(j.w.api.changes)
}

// agreement judges that status and Secret say the same after a pass that nothing has come in between of.
func (j *judge) agreement(p *pass) {
	w := j.w
	if p.replica.deposed || w.changedSince(p) || p.undecided() {
		return
	}
	if p.counts()["status"] == 0 && p.result.RequeueAfter > time.Millisecond && p.result.RequeueAfter <= 100*time.Millisecond {
		return // another pass is just finding out whether the namespace is being deleted
	}
	obj := w.api.credentials[p.name]
	if obj == nil || obj.UID != p.object.UID {
		return
	}
	o := j.object(p.name)
	target := o.target()
	rec := j.record(target)
	holds := rec != nil && owner(target) == obj.Name && rec.Object == obj.Name
	// A token that expires at this moment is on the side of both.
	alive := holds && rec.good(w.now)
	remade, ended := w.api.remadeAt[obj.Namespace]
	ending := w.api.ending[obj.Namespace] || ended && w.now-remade < endingAgain
	if ending || len(p.requests) == 0 && p.result.RequeueAfter > 0 && p.result.RequeueAfter < time.Second {
		return // nobody is to be told of each object of a namespace that ends; or it is to be found out whether it does
	}
	ready := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionReady)
	differs := func(what string) {
		w.violated("agreement", "status of %s and its target: %s", obj.Name, what)
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
	// It waits for its turn to find out what it had, or has said no more than what is in the target before its turn comes.
	if obj.Status.ObservedGeneration != obj.Generation && f.wiped == 0 && !p.toldOfTheTarget(obj) {
		differs("observedGeneration is behind")
	}
	if obj.Status.TargetName != target.Name {
		differs("targetName is " + obj.Status.TargetName)
	}
	if told := obj.Status.TargetVersion; told != "" && told != string(target.UID)+"/"+target.ResourceVersion && !p.leftTarget(obj) {
		differs("targetVersion is another one")
	}
	if t := obj.Status.TokenExpirationTime; (t == nil) != rec.ExpiresAt.IsZero() || t != nil && !t.Time.Equal(rec.ExpiresAt.Truncate(time.Second)) && !p.replica.onItsClock(t.Time, rec) {
		differs("tokenExpirationTime is another one")
	}
}

// endingAgain is for how long a process goes by the answer that a namespace is being deleted.
const endingAgain = 21 * time.Second

// mutated says whether a webhook has changed what a pass wrote, so lately that the caches may not show it.
func (j *judge) mutated() bool {
	return j.w.api.mutatedAt > 0 && j.w.now-j.w.api.mutatedAt < 15*time.Second
}

// onItsClock says whether a time in status is the end of a token by a replica's clock. The target may have it by another one that it was written by,
// while something stands in the way of writing it anew.
func (r *replica) onItsClock(t time.Time, rec *written) bool {
	return (r.trueTime(t, r.w.now) - rec.expires).Abs() <= clockNoise
}

// undecided says whether a pass has found nothing out yet: it was refused a read, or comes back at once without having made a request.
func (p *pass) undecided() bool {
	return p.refused || len(p.requests) == 0 && p.result.RequeueAfter > 0 && p.result.RequeueAfter <= 100*time.Millisecond
}

// expiredDuring says whether a token has expired while a pass waited for the API server, so that it could not be told with what it wrote: it must
// come back for that at once.
func (j *judge) expiredDuring(p *pass, rec *written) bool {
	if rec == nil {
		return false
	}
	left := rec.expires - j.w.now
	return left <= 0 && -left < j.w.now-p.began && p.result.RequeueAfter > 0 && p.result.RequeueAfter <= time.Millisecond
}

// waiting says whether a pass has found that it is not its turn, of which it reports nothing.
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

// toldOfTheTarget says whether a pass that comes back for its turn has changed nothing in status but what it says of the target, and what an earlier
// pass could not write: waiting is no news, but a token that is there again, as after a renaming to a Secret that has one, is. All times go with it to
// the clock of another process.
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
		s.NextRefreshTime, s.Reason = nil, "" // when its turn comes, nobody knows; the reason is a condition's
		meta.RemoveStatusCondition(&s.Conditions, v1alpha1.ConditionReady)
		withoutTimes(s)
		return s
	}
	return equality.Semantic.DeepEqual(rest(&p.before.Status), rest(&obj.Status))
}

// leftTarget says whether a pass that comes back for its turn has said nothing of the target: it has put the times of status on its own clock, or told
// that it is held up. That somebody has changed the target's metadata meanwhile is told when it is written.
func (p *pass) leftTarget(obj *v1alpha1.CDPCredential) bool {
	counts := p.counts()
	if p.before == nil || counts["create"]+counts["patch"]+counts["delete"] > counts["status"] || p.before.Status.TargetVersion != obj.Status.TargetVersion {
		return false
	}
	return p.toldOfTheTarget(obj) || p.toldHoldUp(obj)
}

// toldHoldUp says whether a pass that has not asked the endpoint, and comes back for that, has told of its trouble or of our own limits.
func (p *pass) toldHoldUp(obj *v1alpha1.CDPCredential) bool {
	if p.answer != nil || p.result.RequeueAfter == 0 {
		return false
	}
	was := meta.FindStatusCondition(p.before.Status.Conditions, v1alpha1.ConditionRefreshed)
	is := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionRefreshed)
	news := is != nil && (was == nil || was.Message != is.Message)
	return news && (is.Reason == v1alpha1.ReasonThrottled || is.Reason == v1alpha1.ReasonEndpointUnavailable)
}

// withoutTimes takes the times out of status that differ from clock to clock, but not what they are the times of.
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

// changedSince says whether anybody but the pass has changed anything of its namespace since it began, or its cache was behind then.
func (w *world) changedSince(p *pass) bool {
	for _, c := range w.api.changes[p.history:] {
		if c.by != p && c.name.Namespace == p.name.Namespace {
			return true
		}
	}
	return p.behind
}

// quietly judges a pass in a world in which nothing happens: either it makes no request, or it renews at the price that is promised, or it
// verifies.
func (j *judge) quietly(p *pass) {
	counts := p.counts()
	expensive := func(why string) {
		j.w.violated("silence", "a pass over %s made %q: %s", p.name.Name, p.requests, why)
	}
	exchanges, verifies := counts["exchange"], counts["verify"]
	reads := counts["get"]
	if p.object != nil && p.object.Spec.Verify != nil && counts["get "+p.object.Spec.Target.Name] > 0 {
		reads-- // right after a renewal the cache may not have the Secret yet
	}
	if asked := counts["get "+p.name.Name]; asked > 0 {
		if p.replica.asked[p.object.UID] {
			expensive("it has asked for the object before")
		}
		reads -= 2 // the object and its target, before the first exchange of a process
	}
	writes := counts["patch"] + counts["create"] + counts["delete"]
	switch {
	case p.expired && exchanges == 0 && writes == 1 && (j.expect(j.object(p.name)) != "" || j.w.repeats(p.object)):
		// A suspended object, or one that lacks something, says so at the second of expiry; so does one whose token cannot be renewed before.
	case verifies == 1 && exchanges == 0 && writes == 1 && counts["status"] == 1 && firstVerdict(p.object):
		// The API has said so again, but of another generation of the object.
	case exchanges == 0 && writes == 0 && counts["get"] == 1 && p.object.Spec.Verify != nil && j.lacksValue(j.object(p.name)):
		// A verification without a value that is to go with the token, whatever else stands between the object and its next one.
	case exchanges == 0 && verifies == 0 && writes == 0 && counts["get "+p.name.Name] == 1 && reads == 1 && j.awaitsTurn(p):
		// Before its first exchange a process looks whether the cache is right, and then the gate may have no place.
	case exchanges == 0 && verifies == 0 && reads+writes > 0:
		expensive("nothing was to be done")
	case exchanges == 0 && writes > 0:
		expensive("nothing was to be written")
	case exchanges == 1 && p.answer.failure == rejected && writes == 1 && counts["status"] == 1 && j.expect(j.object(p.name)) != "":
		// A user has left it with values that the vendor does not take, which is tried now and then: paced judges how often.
	case exchanges == 1 && p.answer.again() && writes == 0:
		// The held token again, right after its end: it is asked for once more.
	case exchanges == 1 && p.answer.again() && writes == 1 && counts["status"] == 1:
		// The held token again: there is nothing to write into the target.
	case exchanges == 1 && (counts["status"] != 1 || writes != 2):
		expensive("a renewal is one write of the target and one of status")
	case reads > 1+verifies || exchanges > 1 || verifies > 1:
		expensive("too many reads")
	case p.err != nil:
		expensive("it failed")
	}
}

// awaitsTurn reports whether a pass comes back for a renewal whose time has come.
func (j *judge) awaitsTurn(p *pass) bool {
	rec := j.record(j.held(p.object))
	return p.result.RequeueAfter > 0 && rec != nil && j.w.now >= earliestRenewal(rec, p.object)
}

// counts says how many requests of each verb a pass made, and besides how many patches of status and how many reads of what.
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

// firstVerdict says whether the API has not been asked since the object was changed.
func firstVerdict(obj *v1alpha1.CDPCredential) bool {
	c := meta.FindStatusCondition(obj.Status.Conditions, v1alpha1.ConditionVerified)
	return c != nil && c.ObservedGeneration < obj.Generation
}
