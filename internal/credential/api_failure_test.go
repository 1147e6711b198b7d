// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The API server refuses a read from 11:17:43 on.
func TestAPIFailureIsReportedAfterAMinute(t *testing.T) {
	t.Parallel()
	var f APIFailure
	refused := &RequestError{Verb: "get", Resource: "secrets", Name: "etl-client", Err: errors.New("no answer")}
	for _, step := range []struct {
		now, heldUp, reported string // reported: when it will be; empty: it is
		done                  bool   // the condition Refreshed had a reason before
	}{
		{"11:17:43", "", "11:18:43", false},
		{"11:18:42.999", "", "11:18:43", false},
		{"11:18:42.999", "11:17:00", "", false}, // an exchange had been held up before
		{"11:18:42.999", "11:17:00", "11:18:43", true},
		{"11:18:43", "", "", false},
		{"10:00:00", "", "10:01:00", false}, // the clock was set back
	} {
		s := steady()
		s.Now = at(step.now)
		if step.done {
			failed(s, "Throttled", "11:17:50")
		}
		s.Object.Status.Conditions = append(s.Object.Status.Conditions, metav1.Condition{Type: "Ready", Status: "True"})
		s.Object.Status.TokenExpirationTime = second("12:00:00")
		status, reportAt, expiresAt := f.Report(s, refused, timeOf(step.heldUp))
		told := refreshedReason(&status) == "APIUnavailable"
		if clockText(reportAt) != step.reported || told != (step.reported == "") || clockText(expiresAt) != "12:00:00" {
			t.Errorf("at %s: reported %t, at %q, expires %q", step.now, told, clockText(reportAt), clockText(expiresAt))
		}
	}
}

func TestRefusalByPolicyIsForGood(t *testing.T) {
	t.Parallel()
	secrets, kind := schema.GroupResource{Resource: "secrets"}, schema.GroupKind{Kind: "Secret"}
	for want, errs := range map[bool][]error{
		true:  {apierrors.NewForbidden(secrets, "x", nil), apierrors.NewInvalid(kind, "x", nil), apierrors.NewBadRequest("x"), apierrors.NewMethodNotSupported(secrets, "patch")},
		false: {apierrors.NewConflict(secrets, "x", nil), apierrors.NewTimeoutError("x", 1), apierrors.NewTooManyRequestsError("x"), errors.New("x"), nil},
	} {
		for _, err := range errs {
			if got := RefusedByPolicy(err); got != want {
				t.Errorf("%v: got %t", err, got)
			}
		}
	}
}

func TestStaleTargetMessageSaysWhatIsLeftToDo(t *testing.T) {
	t.Parallel()
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "etl-old", nil)
	const ask = ", or ask whoever runs the cluster for its admission policies and the operator's rights"
	s := steady()
	want := "The API server does not let the operator delete Secret etl-old, the previous target (Forbidden): delete it by hand" + ask
	if got := StaleTargetMessage(s.Object, "etl-old", forbidden); got != want {
		t.Errorf("got %s", got)
	}
	s.Object.Spec.Target.DeletionPolicy = "Retain"
	want = "The API server does not let the operator remove the owner reference from Secret etl-old, the previous target (Forbidden): remove it by hand, or the Secret is deleted with this object" + ask
	if got := StaleTargetMessage(s.Object, "etl-old", forbidden); got != want {
		t.Errorf("got %s", got)
	}
}

func TestRequestErrorNamesTheRequest(t *testing.T) {
	t.Parallel()
	cause := errors.New("no answer")
	err := &RequestError{Verb: "get", Resource: "secrets", Name: "etl-client", Err: cause}
	if err.Error() != "get secrets etl-client: no answer" || !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

func TestRepairsCountTogetherWithinTheirWindow(t *testing.T) {
	t.Parallel()
	var r quickRepairs
	for _, step := range []struct {
		now    string
		weight int
		want   int
	}{{"11:00:00", 2, 2}, {"11:00:19.999", 1, 3}, {"11:00:45", 2, 2}, {"11:00:46", 2, 4}} {
		if r = r.Plus(step.weight, at(step.now)); r.Weight != step.want || !r.Last.Equal(at(step.now)) {
			t.Errorf("at %s: got %+v", step.now, r)
		}
	}
	if r.recent(at("11:00:46").Add(time.Hour)) {
		t.Error("an hour is no short time")
	}
}
