// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestReadyTurnsFalseOnceWhileTheAPIServerIsUnavailable: a pass that the API server has interrupted turns Ready False at the same fraction of a second as every other pass. Else
// Ready would be False, True and False again within that second.
func TestReadyTurnsFalseOnceWhileTheAPIServerIsUnavailable(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		told, now string
		record    string
		ready     bool
		wakeAt    string
	}{
		"long before":                      {told: "12:00:00", record: "12:00:00.5", now: "11:50:00", ready: true, wakeAt: "12:00:00.5"},
		"in its last second":               {told: "12:00:00", record: "12:00:00.5", now: "12:00:00.4", ready: true, wakeAt: "12:00:00.5"},
		"at its end":                       {told: "12:00:00", record: "12:00:00.5", now: "12:00:00.5"},
		"the cache shows no target":        {told: "12:00:00", now: "12:00:00"},
		"the cache shows another's record": {told: "12:00:00", record: "11:00:00.5", now: "11:59:59", ready: true, wakeAt: "12:00:00"},
		"which ends later":                 {told: "12:00:00", record: "13:00:00.5", now: "12:00:00"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			written(s)
			status := s.Object.Status.DeepCopy()
			status.TokenExpirationTime = second(tc.told)
			s.Current.Persisted = nil
			if tc.record != "" {
				s.Current.Persisted = &PersistedState{PersistedToken: PersistedToken{ExpiresAt: at(tc.record)}}
			}
			s.Now = at(tc.now)
			got := reportExpiry(s, status)
			var want time.Time
			if tc.wakeAt != "" {
				want = at(tc.wakeAt)
			}
			if ready := isReady(status); ready != tc.ready || !got.Equal(want) {
				t.Errorf("Ready is %v, and it wakes at %s", ready, got)
			}
		})
	}
}

// TestUnavailableMessageStaysWhileTheFixIsTheSame: what the API server answers to the same request may change by the second; the message stays while what is to be done
// is the same.
func TestUnavailableMessageStaysWhileTheFixIsTheSame(t *testing.T) {
	t.Parallel()
	secrets := schema.GroupResource{Resource: "secrets"}
	reading := func(err error) *RequestError {
		return &RequestError{Verb: "get", Resource: "Secret", Name: "etl-client", Err: err}
	}
	busy := "the API server refuses the operator's request to get Secret etl-client (TooManyRequests): ask whoever runs the cluster about the API server's " +
		"health, and its priority and fairness; the operator retries"
	for name, tc := range map[string]struct {
		then *RequestError
		want string
	}{
		"the same":        {reading(apierrors.NewTooManyRequests("x", 1)), busy},
		"another answer":  {reading(apierrors.NewServiceUnavailable("x")), busy},
		"no answer":       {reading(errors.New("connection refused")), busy},
		"another request": {&RequestError{Verb: "get", Resource: "Secret", Name: "etl-token", Err: errors.New("x")}, strings.Replace(strings.Replace(busy, "TooManyRequests", "no answer", 1), "etl-client", "etl-token", 1)},
		"another advice": {
			reading(apierrors.NewForbidden(secrets, "etl-client", errors.New("x"))),
			"the API server refuses the operator's request to get Secret etl-client (Forbidden): ask whoever runs the cluster to restore the operator's role (config/rbac)",
		},
	} {
		s := steady()
		status := s.Object.Status.DeepCopy()
		reportUnavailable(s, reading(apierrors.NewTooManyRequests("x", 1)), status)
		reportUnavailable(s, tc.then, status)
		c := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionRefreshed)
		if c.Reason != v1alpha1.ReasonAPIUnavailable || c.Message != tc.want {
			t.Errorf("%s: got %s, %s", name, c.Reason, c.Message)
		}
	}
}

func isReady(status *v1alpha1.CDPCredentialStatus) bool {
	return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)
}

// TestUnavailableAPIServerReplacesAStall: what had to be changed by somebody is no longer known, so only the wait is reported.
func TestUnavailableAPIServerReplacesAStall(t *testing.T) {
	t.Parallel()
	s := steady()
	stalledBefore("SecretNotFound")(s)
	status := s.Object.Status.DeepCopy()
	status.LastAttempt = nil
	reportUnavailable(s, &RequestError{Verb: "get", Resource: "secrets", Name: "etl-client", Err: apierrors.NewTooManyRequestsError("later")}, status)
	if meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionStalled) != nil {
		t.Error("Stalled stays")
	}
	for _, kind := range []string{v1alpha1.ConditionRefreshed, v1alpha1.ConditionReconciling} {
		if c := meta.FindStatusCondition(status.Conditions, kind); c == nil || c.Reason != v1alpha1.ReasonAPIUnavailable {
			t.Errorf("%s is %+v", kind, c)
		}
	}
}
