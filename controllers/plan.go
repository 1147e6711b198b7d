package controllers

import (
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/render"
)

// minInterval is the least time between two tokens issued for one object.
const minInterval = 10 * time.Second

// action is what a pass does to the target.
type action int

const (
	// nothing: the target is as it should be, or nothing can be done about it now.
	nothing action = iota
	// rewrite the target from the held token.
	rewrite
	// issue a new token.
	issue
	// update the resources of the held Algonomy token.
	update
)

// cause is why a token is issued. It is kept with the token.
type cause string

const (
	causeMissing   cause = "Missing"
	causeReplaced  cause = "Replaced"
	causeRenewal   cause = "Renewal"
	causeChanged   cause = "Changed"
	causeRequested cause = "Requested"
	causeRejected  cause = "Rejected"
)

// A step is what a pass is to do, decided from a view and nothing else.
type step struct {
	action action
	cause  cause
	// failure is why nothing can be done until somebody changes something.
	failure *failure
	// keep says that an earlier failure is still being waited out: what is reported of it stays.
	keep bool
	// contest is the quarrel over the target that goes on, and repair is above zero if the action undoes what the other side has done.
	contest *v1alpha1.Contest
	repair  int
	// early says that a change has the attempt made sooner after a failed one than it would be.
	early bool
	// at is when the action is to be tried again. Zero: now, or not before a change.
	at time.Time
}

// plan decides what to do: section 4 of docs/design.md, row by row.
func plan(v *view) step {
	if v.obj.Spec.Suspend {
		return step{}
	}
	do, why := due(v)
	wanted := do
	if do == nothing && shapeChanged(v) {
		wanted = rewrite // a token that has ended is not written again, but what was wrong with that still is
	}
	if f := obstacle(v, wanted); f != nil {
		return step{failure: f, contest: v.obj.Status.Contest}
	}
	repair := repairWeight(v, do, why)
	contest := contestOf(v, repair)
	holdsBack := contest != nil && v.now.Before(contest.Until.Time)
	_, backsOff := backingOff(v)
	if holdsBack && (do == nothing || repair > 0 && !backsOff) {
		return step{failure: contested(v, contest), contest: contest}
	}
	s := planned(v, do, why)
	s.contest, s.repair = contest, repair
	if s.action != do {
		if s.repair = repairWeight(v, s.action, ""); s.repair > 0 && holdsBack {
			s.action, s.repair = nothing, 0
		}
	}
	return s
}

// planned is plan where nothing is in the way, and nobody is quarrelled with.
func planned(v *view, do action, why cause) step {
	if do == rewrite && unwritable(v) {
		until, _ := backingOff(v)
		return step{keep: true, at: until}
	}
	if do == nothing || do == rewrite {
		return step{action: do}
	}
	wait := step{cause: why}
	until, waiting := backingOff(v)
	earliest, early := earliestAttempt(v)
	interval := lastIssued(v).Add(minInterval)
	switch {
	case waiting:
		wait.keep, wait.at = true, until
	case !v.intent.flow.Exchanges() || v.inHand:
		return step{action: do, cause: why}
	case !earliest.IsZero() && !early && !v.throttled: // what is remembered of a 429 is told while it is waited out
		wait.at = earliest
	case do == update:
		return step{action: do, cause: why, early: early}
	case v.now.Before(interval) && !replacesEnded(v, why):
		wait.at = interval
	case budgetSpent(v):
		wait.failure = budgetFailure(v)
	default:
		return step{action: do, cause: why, early: early}
	}
	// What needs no exchange does not wait for one.
	if shapeChanged(v) && v.held.holds(v.now) && presentable(v) && !unwritable(v) {
		wait.action = rewrite
	}
	return wait
}

// replacesEnded reports whether a token is asked for that could not be had before the end of the held one, and has not been given since: that does not
// wait for an answer of before to be ten seconds ago.
func replacesEnded(v *view, why cause) bool {
	return why == causeRenewal && issuanceMode(v) == v1alpha1.IssuanceModeSameUntilExpiry && !v.newTokenAt.After(v.held.rec.ExpiresAt)
}

// unwritable says whether the last attempt failed for what a rewriting needs, too: values that the client Secret lacks, or the right to write the target.
func unwritable(v *view) bool {
	until, waiting := backingOff(v)
	return waiting && (until.IsZero() || refreshedReason(&v.obj.Status) == v1alpha1.ReasonTargetUnusable)
}

// presentable says whether the held token may be published as spec.provider has it now. A token of before is not published with the headers of
// after, nor without its own, and a user name and a password are no token, nor the other way round.
func presentable(v *view) bool {
	if v.difference != different {
		return true
	}
	isBasic := !v.intent.flow.Exchanges() || v.held.rec.ExpiresAt.IsZero()
	return !isBasic && !hasCompanions(v) && !hadCompanions(v.held.rec) && !showsClient(&v.obj.Spec.Target)
}

// showsClient reports whether a template has the client's ID beside the token: that of another client is not put there.
func showsClient(target *v1alpha1.Target) bool {
	for _, template := range target.Data {
		if strings.Contains(string(template), ".clientID") {
			return true
		}
	}
	return false
}

// hasCompanions says whether the target holds request headers beside the one that carries the token.
func hasCompanions(v *view) bool { return len(v.intent.flow.APIHeaders) > 0 }

// hadCompanions says whether it was written with such headers.
func hadCompanions(rec *record) bool { return len(rec.Default) > 1 }

// due says what the target needs, and why.
func due(v *view) (action, cause) {
	switch {
	case !v.held.found || v.held.owner() != v.obj.Name:
		return issue, causeMissing
	case !v.held.has():
		return issue, causeReplaced
	case !v.intent.flow.Exchanges():
		switch {
		case v.difference != same || shapeChanged(v):
			return issue, causeChanged
		case requestedOrPending(v):
			return issue, causeRequested
		}
		return nothing, ""
	case !v.held.rec.ExpiresAt.IsZero() && !v.now.Before(renewAt(v)): // basic's user name and password never end
		return issue, causeRenewal
	case v.difference == resourcesOnly && v.held.holds(v.now) && !v.updateRefused && !requestedOrPending(v):
		return update, causeChanged
	case v.difference != same:
		return issue, causeChanged
	case requestedOrPending(v):
		return issue, causeRequested
	case v.rejected && v.held.rec.Cause != causeRejected:
		return issue, causeRejected
	case shapeChanged(v) && v.held.holds(v.now): // one that has ended is not published again: the next one is about to come
		return rewrite, ""
	}
	return nothing, ""
}

func requestedOrPending(v *view) bool {
	return requested(v) || v.obj.Status.RefreshPending && !newerThanStatus(v)
}

// newerThanStatus says whether the held token was issued after the one that status tells of: the pass that wrote it could not say so.
func newerThanStatus(v *view) bool {
	rec, told := v.held.rec, v.obj.Status.LastRefreshTime
	return rec != nil && told != nil && rec.IssuedAt.Sub(told.Time) >= time.Second // status has whole seconds
}

// requested says whether a refresh was asked for that has not been tried. A status that was lost does not make it new: the record on the
// target has it, too.
func requested(v *view) bool {
	request := refreshRequest(v.obj)
	if request == "" || request == v.obj.Status.LastHandledRefreshRequest {
		return false
	}
	return v.held.rec == nil || request != v.held.rec.Handled
}

func refreshRequest(obj *v1alpha1.CDPCredential) string {
	request := obj.Annotations[v1alpha1.RefreshRequestedAtAnnotation]
	// What is no UTF-8 would come back from the API server as something else, and so be asked for again and again.
	return strings.ToValidUTF8(request[:min(len(request), maxRequest)], "")
}

// maxRequest bounds what of the annotation is kept in status.
const maxRequest = 256

func before(spec *v1alpha1.CDPCredentialSpec) time.Duration {
	if spec.Refresh == nil {
		return 0
	}
	return durationOr(spec.Refresh.Before, 0)
}

// shapeChanged says whether the target has the right token but is otherwise not as wanted.
func shapeChanged(v *view) bool {
	return v.moving() || v.clockJumped() || v.held.content == edited || v.held.rec != nil && v.held.rec.Shape != shapeOf(&v.obj.Spec.Target) || drifted(v)
}

// drifted says whether somebody changed the labels, annotations or owner that we put on the target.
func drifted(v *view) bool {
	rec := v.held.rec
	if rec == nil || v.moving() {
		return false
	}
	want := wantedMetadata(v.obj, rec.shownExpiry(), v.target.sharedBeside(rec.Keys))
	return !want.on(&v.target.meta)
}

// obstacle finds what somebody has to change before anything can be done. All of it is known without a request.
func obstacle(v *view, do action) *failure {
	spec := &v.obj.Spec
	if v.intentErr != nil {
		return stalled(v1alpha1.ReasonInvalidSpec, v.intentErr.Error())
	}
	if bundle := caBundle(v.obj); len(bundle) > 0 && (do != nothing || v.obj.Status.ObservedGeneration != v.obj.Generation || refreshedReason(&v.obj.Status) == v1alpha1.ReasonInvalidSpec) {
		if err := egress.CheckCABundle(bundle); err != nil {
			return stalled(v1alpha1.ReasonInvalidSpec, "spec.tls.caBundle: "+err.Error())
		}
	}
	if key := disallowedTargetKey(&spec.Target, v.allowedMetadata); key != "" {
		return stalled(v1alpha1.ReasonInvalidSpec, "spec.target: "+key+" is not among the labels and annotations that are known to be harmless, "+
			"and could make other controllers act on the Secret: remove it, or have an administrator allow it with --allowed-target-metadata="+key)
	}
	if v.target.found && v.target.owner() != v.obj.Name {
		return targetNotOwned(v)
	}
	if v.target.found && v.target.unusable != "" {
		return stalled(v1alpha1.ReasonTargetUnusable, "Secret "+spec.Target.Name+" "+v.target.unusable+": delete it, or choose another spec.target.name")
	}
	if do != nothing {
		if _, err := render.Compile(textMap(spec.Target.Data)); err != nil {
			return stalled(v1alpha1.ReasonInvalidTemplate, "spec.target.data."+err.Error())
		}
	}
	if !v.client.found {
		return stalled(v1alpha1.ReasonSecretNotFound, "create the Secret "+spec.ClientSecretRef.Name+" in this namespace, with "+neededKeys(&v.intent))
	}
	return clientConsent(v)
}

func neededKeys(in *intent) string {
	var keys []string
	for _, key := range in.flow.Keys {
		if !key.Optional {
			keys = append(keys, key.Name)
		}
	}
	if len(keys) == 1 {
		return "the key " + keys[0]
	}
	return "the keys " + strings.Join(keys, " and ")
}

// backingOff says whether an earlier attempt's failure is still to be waited out, and until when; zero means until a change.
func backingOff(v *view) (until time.Time, waiting bool) {
	status := &v.obj.Status
	last := status.LastAttempt
	if last == nil {
		return time.Time{}, false
	}
	if last.Superseded {
		return time.Time{}, false
	}
	reason := refreshedReason(status)
	clientChanged := last.ClientSecretVersion != v.client.version && !v.attemptUnchanged
	// A throttled client waits as long as it was told to, unless it would be another client now.
	changed := clientChanged || last.Generation != v.obj.Generation && (reason != v1alpha1.ReasonThrottled || last.Asked != v.intent.asked)
	if changed {
		return time.Time{}, false
	}
	if requested(v) && (reason != v1alpha1.ReasonThrottled || insists(v)) {
		return time.Time{}, false
	}
	if status.NextRefreshTime == nil {
		// No time: the wait is over, and it had to wait for its turn since. Nor may what has no reason any more wait, because a process that had an
		// old list has written its conditions: somebody is to be told again.
		return time.Time{}, untilAChange(reason)
	}
	until = status.NextRefreshTime.Time
	if requested(v) && last.Time != nil {
		until = sooner(until, lastAsked(v).Add(insistInterval))
	}
	return until, v.now.Before(until)
}

// lastIssued is when the last token was issued, zero if none was. Status has whole seconds, so that it may be up to a second later.
func lastIssued(v *view) time.Time {
	known := []time.Time{v.issuedAt}
	if v.held.rec != nil {
		known = append(known, v.held.rec.IssuedAt)
	}
	if s := v.obj.Status.LastRefreshTime; s != nil && (v.held.rec == nil || s.After(v.held.rec.IssuedAt)) {
		known = append(known, s.Add(time.Second))
	}
	var last time.Time
	for _, t := range known {
		if t.After(last) && t.Sub(v.now) <= time.Second { // else it is on a clock that nobody knows: the others, or the next token, say better
			last = t
		}
	}
	return last
}

// issuance is the count of the tokens issued today: status or, where it was lost, the record on the target or this process's memory.
func issuance(v *view) v1alpha1.Issuance {
	today := v1alpha1.Issuance{Day: v.now.UTC().Format(time.DateOnly)}
	known := []*v1alpha1.Issuance{v.obj.Status.Issuance, v.issuance}
	if rec := v.held.rec; rec != nil {
		known = append(known, rec.Issuance)
	}
	tomorrow := v.now.UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	for _, k := range known {
		if k != nil && k.Day == tomorrow { // a leader whose clock was ahead of ours has begun it: no day has two budgets
			today.Day = tomorrow
		}
	}
	for _, k := range known {
		if k != nil && k.Day == today.Day {
			today.Count = max(today.Count, k.Count)
		}
	}
	return today
}

func budgetSpent(v *view) bool {
	refresh := v.obj.Spec.Refresh
	return refresh != nil && refresh.MaxPerDay != nil && issuance(v).Count >= *refresh.MaxPerDay
}
