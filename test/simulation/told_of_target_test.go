// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestChangedTargetIsReportedOnAnotherClock (seed 2796): a process whose clock differs moves all times of status when it reports the target; only
// other news must count.
func TestChangedTargetIsReportedOnAnotherClock(t *testing.T) {
	t.Parallel()
	status := func(h int) v1alpha1.CDPCredentialStatus {
		at := func(minute int) metav1.Time {
			return metav1.NewTime(time.Date(2026, 3, 1, h, minute, 0, 0, time.UTC))
		}
		return v1alpha1.CDPCredentialStatus{
			TokenExpirationTime: new(at(30)), LastRefreshTime: new(at(0)), NextRefreshTime: new(at(20)), RepeatedUntil: new(at(30)),
			LastAttempt:   &v1alpha1.Attempt{Generation: 1, Time: new(at(10)), Clock: &v1alpha1.ClockReading{AheadSeconds: int64(3600 * h)}},
			EarlyAttempts: []metav1.Time{at(1), at(2)}, Contest: &v1alpha1.Contest{Repairs: 1, Until: at(15)},
		}
	}
	for name, tc := range map[string]struct {
		more func(*v1alpha1.CDPCredentialStatus)
		want bool
	}{
		"all times are moved":    {func(*v1alpha1.CDPCredentialStatus) {}, true},
		"one more early attempt": {func(s *v1alpha1.CDPCredentialStatus) { s.EarlyAttempts = append(s.EarlyAttempts, metav1.Now()) }, false},
		"another attempt":        {func(s *v1alpha1.CDPCredentialStatus) { s.LastAttempt.Generation = 2 }, false},
		"one more repair":        {func(s *v1alpha1.CDPCredentialStatus) { s.Contest.Repairs = 2 }, false},
		"no longer repeated":     {func(s *v1alpha1.CDPCredentialStatus) { s.RepeatedUntil = nil }, false},
		"another failure is reported": {func(s *v1alpha1.CDPCredentialStatus) {
			meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: v1alpha1.ConditionRefreshed, Status: metav1.ConditionFalse})
		}, false},
		"only Ready changes": {func(s *v1alpha1.CDPCredentialStatus) {
			meta.SetStatusCondition(&s.Conditions, metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue})
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &pass{before: &v1alpha1.CDPCredential{Status: status(10)}, result: ctrl.Result{RequeueAfter: time.Second}}
			after := &v1alpha1.CDPCredential{Status: status(11)}
			tc.more(&after.Status)
			if got := p.toldOfTheTarget(after); got != tc.want {
				t.Errorf("toldOfTheTarget is %v, want %v", got, tc.want)
			}
		})
	}
}

// TestLeftTargetIsReportedOnAnotherClock (seed 55336): a process whose clock differs moves the times of status while it waits for its turn, without
// reporting what somebody did to the target before; nor does one that reports a delay. A reconcile that writes the target must report it.
func TestLeftTargetIsReportedOnAnotherClock(t *testing.T) {
	t.Parallel()
	const before, now = "uid/1", "uid/2"
	for name, tc := range map[string]struct {
		requests     []string
		told, reason string
		want         bool
	}{
		"the times are moved":              {[]string{"get Secret a", "patch status"}, before, "", true},
		"the target is written":            {[]string{"patch Secret a", "patch status"}, before, "", false},
		"the target is reported, too late": {[]string{"get Secret a", "patch status"}, now, "", false},
		"a delay is reported":              {[]string{"patch status"}, before, v1alpha1.ReasonThrottled, true},
		"something else is reported":       {[]string{"patch status"}, before, v1alpha1.ReasonSecretNotFound, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &pass{before: &v1alpha1.CDPCredential{}, requests: tc.requests, result: ctrl.Result{RequeueAfter: time.Second}}
			p.before.Status.TargetVersion = before
			after := p.before.DeepCopy()
			after.Status.TargetVersion, after.Status.NextRefreshTime = tc.told, new(metav1.Now())
			if tc.reason != "" {
				meta.SetStatusCondition(&after.Status.Conditions, metav1.Condition{Type: v1alpha1.ConditionRefreshed, Status: metav1.ConditionFalse, Reason: tc.reason, Message: "x"})
			}
			if got := p.leftTarget(after); got != tc.want {
				t.Errorf("leftTarget is %v, want %v", got, tc.want)
			}
		})
	}
}
