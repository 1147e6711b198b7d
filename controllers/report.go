package controllers

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// report says in status what a pass has found and done. It is pure: the view is that of after the pass.
func report(v *view, s step, out outcome, tried *verification) v1alpha1.CDPCredentialStatus {
	status := *v.obj.Status.DeepCopy()
	if out.waiting {
		reportWaiting(v, s, out, &status)
		return status
	}
	status.ObservedGeneration = v.obj.Generation
	if v.intent.flow.Provider != "" {
		status.Provider = v.intent.flow.Provider
	}
	reportTarget(v, &status)
	if count := issuance(v); count.Count > 0 {
		status.Issuance = &count
	}
	switch {
	case out.wrote:
		status.WriteRefusals = 0
	case out.unwritable:
		status.WriteRefusals++
	}
	if !v.obj.Spec.Suspend {
		status.Contest = contestAfter(v, s, out)
		reportRefresh(v, s, out, &status)
		reportVerified(v, s, out, tried, &status)
	} else {
		reportSuspended(v, &status)
	}
	setReady(v, &status)
	return status
}

// reportSuspended takes out of status what is not waited for any more, nor tried.
func reportSuspended(v *view, status *v1alpha1.CDPCredentialStatus) {
	remove(status, v1alpha1.ConditionReconciling)
	remove(status, v1alpha1.ConditionStalled)
	if v.obj.Spec.Verify == nil {
		remove(status, v1alpha1.ConditionVerified)
	}
	if next := status.NextRefreshTime; next != nil && (refreshedReason(status) != v1alpha1.ReasonThrottled || !v.now.Before(next.Time)) {
		status.NextRefreshTime = nil
	} // else it still waits as long as it was told to when it is resumed
}

// readyIsStale reports whether Ready is no longer true, or still says that the object is suspended.
func readyIsStale(v *view, status *v1alpha1.CDPCredentialStatus) bool {
	was := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if was == nil {
		return false
	}
	return (was.Status == metav1.ConditionTrue) != v.target.holds(v.now) || was.Reason == v1alpha1.ReasonSuspended && !v.obj.Spec.Suspend
}

// reportTarget says what the target holds.
func reportTarget(v *view, status *v1alpha1.CDPCredentialStatus) {
	if !v.target.has() || v.target.owner() != v.obj.Name {
		if v.held.has() && v.moving() {
			return // it is still in the target of before
		}
		status.TokenExpirationTime, status.TargetVersion, status.GrantedScopes = nil, "", nil
		return
	}
	rec := v.target.rec
	reportIssuance(v, status)
	status.TargetVersion = ""
	asRecorded := v.target.content == intact && v.target.unusable == "" && v.target.sharedBeside(rec.Keys) == rec.Shared
	if asRecorded { // what is wrong with it is found out again by the next process
		status.TargetVersion = v.target.version
	}
	status.TargetName = v.target.name
	status.TokenExpirationTime = wholeSecond(rec.ExpiresAt)
	status.GrantedScopes = rec.Granted
	if !rec.IssuedAt.IsZero() {
		status.LastRefreshTime = wholeSecond(rec.IssuedAt)
	}
	if rec.Handled != "" && rec.Handled == refreshRequest(v.obj) {
		status.LastHandledRefreshRequest = rec.Handled
	}
}

// reportIssuance says how the endpoint issues tokens, and how many it has issued.
func reportIssuance(v *view, status *v1alpha1.CDPCredentialStatus) {
	status.IssuanceMode, status.RepeatedUntil = issuanceMode(v), nil
	if v.repeated {
		status.RepeatedUntil = wholeSecond(v.held.rec.ExpiresAt)
	}
	for _, known := range []*v1alpha1.Issuance{v.target.rec.Issuance, v.issuance} {
		if known == nil || status.Issuance != nil && status.Issuance.Day > known.Day {
			continue
		}
		count := *known
		if status.Issuance != nil && status.Issuance.Day == count.Day {
			count.Count = max(count.Count, status.Issuance.Count)
		}
		status.Issuance = &count
	}
}

// reportRefresh says how the last attempt went and when the next one is.
func reportRefresh(v *view, s step, out outcome, status *v1alpha1.CDPCredentialStatus) {
	switch {
	case out.failure != nil:
		reportFailure(v, s, out.failure, status)
	case s.keep:
		// An earlier failure is being waited out: what was said of it stays true.
		retarget(status, v.obj.Generation)
	default:
		if out.wrote {
			status.EarlyAttempts = earlyAttempts(v)
			if s.early {
				status.EarlyAttempts = append(status.EarlyAttempts, *roundedUp(v.now))
			}
		}
		status.LastAttempt = attemptLeft(v, out)
		status.Failures, status.RefreshPending = 0, false
		if status.Contest != nil {
			tellFailure(v, contested(v, status.Contest), status)
			return
		}
		status.NextRefreshTime = nil
		if v.held.rec != nil {
			status.NextRefreshTime = wholeSecond(renewAt(v))
		}
		if request := refreshRequest(v.obj); out.repeated && request != "" {
			status.LastHandledRefreshRequest = request // which no record tells of
		}
		set(v, status, v1alpha1.ConditionRefreshed, metav1.ConditionTrue, v1alpha1.ReasonTokenIssued, issuedMessage(v))
		remove(status, v1alpha1.ConditionStalled)
		remove(status, v1alpha1.ConditionReconciling)
	}
}

func issuedMessage(v *view) string {
	if !v.intent.flow.Exchanges() {
		return "The credentials were written to the target Secret"
	}
	return "The last token was issued and written to the target Secret"
}

func reportFailure(v *view, s step, f *failure, status *v1alpha1.CDPCredentialStatus) {
	if f.attempted {
		if kindOf(refreshedReason(status)) != kindOf(f.reason) {
			status.Failures = 0
		}
		status.Failures++
		status.LastAttempt = attemptOf(v, s, f)
		if request := refreshRequest(v.obj); request != "" && request != status.LastHandledRefreshRequest {
			status.LastHandledRefreshRequest = request
		}
		status.RefreshPending = status.RefreshPending || s.cause == causeRequested
	} else if f.retryAt.IsZero() || f.reason == v1alpha1.ReasonTargetContested {
		status.Failures = 0
		status.LastAttempt = superseded(status.LastAttempt)
	}
	if f.writeRefused {
		status.WriteRefusals++
	}
	if s.early && f.sent {
		status.EarlyAttempts = append(earlyAttempts(v), *roundedUp(v.now))
	}
	tellFailure(v, f, status)
}

// tellFailure puts a failure into the conditions, and when it is tried again.
func tellFailure(v *view, f *failure, status *v1alpha1.CDPCredentialStatus) {
	status.NextRefreshTime = nil
	if !f.retryAt.IsZero() {
		status.NextRefreshTime = roundedUp(f.retryAt) // an endpoint that says two seconds must not be asked after one and a half
	}
	message := steadyAgainst(meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed), v.obj.Generation, f)
	set(v, status, v1alpha1.ConditionRefreshed, metav1.ConditionFalse, f.reason, message)
	present, absent := v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled
	if f.stalled {
		present, absent = absent, present
	}
	set(v, status, present, metav1.ConditionTrue, f.reason, message)
	remove(status, absent)
}

// attemptOf is what status keeps of a failed attempt. What was not sent leaves the endpoint's peace as it is.
func attemptOf(v *view, s step, f *failure) *v1alpha1.Attempt {
	a := &v1alpha1.Attempt{
		Generation: v.obj.Generation, Asked: v.intent.asked, ClientSecretVersion: v.client.version, TokenRejected: s.cause == causeRejected,
	}
	if f.sent {
		a.Time, a.Rejected = roundedUp(v.now), f.reason == v1alpha1.ReasonCredentialsRejected
	} else if last := v.obj.Status.LastAttempt; last != nil {
		a.Time, a.Rejected = last.Time, last.Rejected
	}
	return a
}

// superseded is what is kept of a failed attempt while something else is in the way: when the endpoint was asked.
func superseded(last *v1alpha1.Attempt) *v1alpha1.Attempt {
	if last == nil || last.Time == nil {
		return nil
	}
	last = last.DeepCopy()
	last.Superseded = true
	return last
}

// attemptLeft is what is kept of the last failed attempt while all is well. Nil: nothing. What has called for the attempt was taken back; if it comes
// again, the endpoint is still not to be asked too soon. What basic writes has been asked of nobody.
func attemptLeft(v *view, out outcome) *v1alpha1.Attempt {
	earliest, _ := earliestAttempt(v)
	if !v.intent.flow.Exchanges() {
		earliest = spaced(v)
	} else if out.wrote {
		return nil
	}
	if earliest.IsZero() {
		return nil
	}
	return superseded(v.obj.Status.LastAttempt)
}

// steadyAgainst keeps the correlation id of the first failure of its kind in the message, so that it does not flap from attempt to attempt.
func steadyAgainst(was *metav1.Condition, generation int64, f *failure) string {
	message := shorten(f.message, maxMessage)
	if was != nil && was.Reason == f.reason && was.ObservedGeneration == generation && was.Message == message {
		return message
	}
	correlation := f.correlation
	if was != nil && was.Reason == f.reason {
		if _, first, ok := strings.Cut(was.Message, correlationText); ok {
			correlation = strings.TrimSuffix(first, ")")
		}
	}
	if correlation != "" {
		message += correlationText + correlation + ")"
	}
	return message
}

const (
	correlationText = " (correlation id "
	// maxMessage is well below what the API allows for a condition's message.
	maxMessage = 2048
)

// setReady says whether the target holds an unexpired token.
func setReady(v *view, status *v1alpha1.CDPCredentialStatus) {
	truth, reason, message := metav1.ConditionFalse, v1alpha1.ReasonNoToken, "The target Secret holds no token yet"+next(v, status)
	switch {
	case !v.target.has() || v.target.owner() != v.obj.Name:
	case v.target.rec.expired(v.now):
		reason, message = v1alpha1.ReasonTokenExpired, tokenExpired+next(v, status)
	default:
		truth, reason, message = metav1.ConditionTrue, v1alpha1.ReasonTokenValid, "The target Secret holds a valid token"
		if !v.intent.flow.Exchanges() {
			message = "The target Secret holds the credentials"
		}
	}
	sayReady(v, status, truth, reason, message)
}

const tokenExpired = "The token in the target Secret has expired"

// sayReady sets Ready, and the one reason to look at first. While suspended that is the reason of both.
func sayReady(v *view, status *v1alpha1.CDPCredentialStatus, truth metav1.ConditionStatus, reason, message string) {
	if v.obj.Spec.Suspend {
		reason, message = v1alpha1.ReasonSuspended, message+"; refreshing is suspended by spec.suspend"
	}
	set(v, status, v1alpha1.ConditionReady, truth, reason, message)
	status.Reason = summary(v.obj.Spec.Suspend, status)
}

// next says what is to be expected of an object without a token. It points to the condition Refreshed only where that says what is wrong.
func next(v *view, status *v1alpha1.CDPCredentialStatus) string {
	switch {
	case refreshedReason(status) != "":
		return ": see the condition Refreshed"
	case v.obj.Spec.Suspend:
		return ""
	}
	return ": a new one is on its way"
}

func set(v *view, status *v1alpha1.CDPCredentialStatus, kind string, truth metav1.ConditionStatus, reason, message string) {
	condition := metav1.Condition{
		Type: kind, Status: truth, Reason: reason, Message: message, ObservedGeneration: v.obj.Generation,
		// As the API server will give it back: else a status whose answer was lost would be written again.
		LastTransitionTime: metav1.NewTime(v.now.Add(v.shown())).Rfc3339Copy(),
	}
	meta.SetStatusCondition(&status.Conditions, condition)
}

func remove(status *v1alpha1.CDPCredentialStatus, kind string) {
	status.Conditions = slices.DeleteFunc(status.Conditions, func(c metav1.Condition) bool { return c.Type == kind })
}

// retarget stamps the conditions that stay as they are with the generation that they are still true for.
func retarget(status *v1alpha1.CDPCredentialStatus, generation int64) {
	for i := range status.Conditions {
		switch status.Conditions[i].Type {
		case v1alpha1.ConditionRefreshed, v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling:
			status.Conditions[i].ObservedGeneration = generation
		}
	}
}

// summary is the one reason to look at first.
func summary(suspended bool, status *v1alpha1.CDPCredentialStatus) string {
	if suspended {
		return v1alpha1.ReasonSuspended
	}
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVerified); c != nil && c.Status == metav1.ConditionFalse {
		return c.Reason
	}
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed); c != nil {
		return c.Reason
	}
	return ""
}

// refreshedReason is empty unless the last attempt failed.
func refreshedReason(status *v1alpha1.CDPCredentialStatus) string {
	if c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed); c != nil && c.Status == metav1.ConditionFalse {
		return c.Reason
	}
	return ""
}

// roundedUp is a time that is to be waited for, in whole seconds.
func roundedUp(t time.Time) *metav1.Time {
	whole := metav1.NewTime(t.Add(time.Second - 1).Truncate(time.Second))
	return &whole
}

// wholeSecond is what the API keeps of a time: whole seconds. Zero gives nil.
func wholeSecond(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	whole := metav1.NewTime(t.Truncate(time.Second))
	return &whole
}
