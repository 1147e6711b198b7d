// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// said is an answer of the API server, which has a value of the Secret in it.
func said(code int32, reason metav1.StatusReason, message string) error {
	return fmt.Errorf("write: %w", &apierrors.StatusError{ErrStatus: metav1.Status{Status: "Failure", Code: code, Reason: reason, Message: message + " s3cret"}})
}

// TestWriteRefusalNamesWhoRefused: who refused is told by the API server's own words, and none of the refuser's is shown.
func TestWriteRefusalNamesWhoRefused(t *testing.T) {
	t.Parallel()
	resource := schema.GroupResource{Resource: "secrets"}
	const own = "the operator retries"
	tests := map[string]struct {
		err  error
		want string // of the message; empty: it is no refusal
	}{
		"policy": {
			said(422, "Invalid", `secrets "etl-token" is forbidden: ValidatingAdmissionPolicy 'no.tokens' with binding 'b' denied request:`),
			"(HTTP 422 Invalid, by ValidatingAdmissionPolicy no.tokens): ask whoever runs the cluster what it wants, or change spec.target; " + own,
		},
		"quota": {
			said(403, "Forbidden", `secrets "etl-token" is forbidden: exceeded quota: small, requested: secrets=1, used: secrets=9, limited: secrets=9`),
			"(HTTP 403 Forbidden, by ResourceQuota small): ask whoever runs the cluster what it wants, or change spec.target; " + own,
		},
		"webhook": {
			said(400, "s3cret", `admission webhook "v.example.com" denied the request:`),
			"(HTTP 400 Bad Request, by admission webhook v.example.com): ask whoever runs the cluster what it wants, or change spec.target; " + own,
		},
		"webhook with a status of its own": {
			said(409, "s3cret", `admission webhook "v.example.com" denied the request:`),
			"(HTTP 409 Conflict, by admission webhook v.example.com): ask whoever runs the cluster what it wants, or change spec.target; " + own,
		},
		"webhook that is down": {
			said(500, "InternalError", `Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://svc":`),
			"(HTTP 500 InternalError, by admission webhook v.example.com): ask whoever runs the cluster what it wants, or change spec.target; " + own,
		},
		"rights": {
			said(403, "Forbidden", `secrets "etl-token" is forbidden: User "system:serviceaccount:a:b" cannot patch resource "secrets" in API group "" in the namespace "x"`),
			"(HTTP 403 Forbidden): ask whoever runs the cluster to restore the operator's role (config/rbac); " + own,
		},
		"rights to create": {
			said(403, "Forbidden", `secrets is forbidden: User "system:serviceaccount:a:b" cannot create resource "secrets"`),
			"(HTTP 403 Forbidden): ask whoever runs the cluster to restore the operator's role (config/rbac); " + own,
		},
		"who does not say who he is": {
			said(403, "Forbidden", `secrets "etl-token" is forbidden: unknown`),
			"(HTTP 403 Forbidden): ask whoever runs the cluster for its admission policies; " + own,
		},
		"who pretends to be another": {
			said(403, "Forbidden", `admission webhook "v.example.com" denied the request: secrets "x" is forbidden: exceeded quota: other,`),
			"(HTTP 403 Forbidden, by admission webhook v.example.com): ask whoever runs the cluster what it wants, or change spec.target; " + own,
		},
		"a name with something else in it": {
			said(403, "Forbidden", `admission webhook "v.example.com s3cret" denied the request`),
			"(HTTP 403 Forbidden): ask whoever runs the cluster for its admission policies; " + own,
		},
		"too large":       {said(413, "RequestEntityTooLarge", "x"), "(HTTP 413 RequestEntityTooLarge): ask whoever runs the cluster for its admission policies; " + own},
		"another version": {apierrors.NewConflict(resource, "etl-token", errors.New("x")), ""},
		"gone":            {apierrors.NewNotFound(resource, "etl-token"), ""},
		"busy":            {apierrors.NewTooManyRequests("x", 1), ""},
		"no leader":       {apierrors.NewServiceUnavailable("x"), ""},
		"etcd":            {apierrors.NewInternalError(errors.New("etcd")), ""},
		"timeout":         {apierrors.NewTimeoutError("x", 1), ""},
		"no answer":       {errors.New("connection refused"), ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, ok := WriteRefusalOf(tc.err)
			if ok != (tc.want != "") {
				t.Fatalf("it is a refusal: %t", ok)
			}
			if !ok {
				return
			}
			f := w.Failure(steady())
			if want := "the API server refuses the write of Secret etl-token " + tc.want; f.Message != want {
				t.Errorf("got  %s\nwant %s", f.Message, want)
			}
			if strings.Contains(f.Message+w.Answer+w.By, "s3cret") {
				t.Error("what the refuser says is shown")
			}
		})
	}
}

// TestWriteRefusalDoublesItsWait: 30 s doubling to 10 min, by the count in status, which a write ends.
func TestWriteRefusalDoublesItsWait(t *testing.T) {
	t.Parallel()
	for refusals, want := range map[int32]string{0: "30s", 1: "1m0s", 2: "2m0s", 4: "8m0s", 5: "10m0s", 100: "10m0s"} {
		s := steady()
		s.Object.Status.WriteRefusals = refusals
		f := writeRefusal{Answer: "HTTP 403 Forbidden"}.Failure(s)
		if got := delay(s, f); got != want {
			t.Errorf("after %d refusals the next attempt is in %s, want %s", refusals, got, want)
		}
		if got := NewStatus(s, Plan{Action: ActionIssue}, Result{Failure: f}, nil).WriteRefusals; got != refusals+1 {
			t.Errorf("status counts %d", got)
		}
		if got := NewStatus(s, Plan{Action: ActionIssue}, Result{Wrote: true}, nil).WriteRefusals; got != 0 {
			t.Errorf("after a write status counts %d", got)
		}
		if got := NewStatus(s, Plan{Action: ActionIssue}, Result{Failure: &Failure{Reason: "EndpointUnavailable", Attempted: true, RetryAt: at("11:30:00")}}, nil).WriteRefusals; got != refusals {
			t.Errorf("after an outage status counts %d", got)
		}
	}
}
