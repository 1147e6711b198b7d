// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Reasons that no condition has: the operator could not say them.
const (
	reasonAbsent   = "OperatorAbsent"
	reasonPending  = "Pending"
	reasonDeleting = "Deleting"
)

const (
	// attention is within how long the operator looks at a change, even if it has much to do.
	attention = 30 * time.Second
	// lateness is how far past its time an attempt may be before nobody seems to make it. Clocks may differ by so much, too.
	lateness = 2 * time.Minute
)

// A finding is the one thing to know first about an object.
type finding struct {
	reason  string
	since   *metav1.Time
	message string
}

// findingOf looks for reasons in the order in which they matter: one that explains the others comes first.
func findingOf(obj *v1alpha1.CDPCredential, now time.Time) finding {
	for _, look := range []func(*v1alpha1.CDPCredential, time.Time) *finding{
		deleting, unseen, suspended, overdue, rejectedByAPI, notRefreshed, withoutToken, expiredToken,
	} {
		if f := look(obj, now); f != nil {
			f.message = plain(f.message)
			return *f
		}
	}
	return finding{reason: v1alpha1.ReasonTokenIssued, since: obj.Status.LastRefreshTime}
}

func deleting(obj *v1alpha1.CDPCredential, _ time.Time) *finding {
	if obj.DeletionTimestamp.IsZero() {
		return nil
	}
	return &finding{reason: reasonDeleting, since: obj.DeletionTimestamp, message: "it is being deleted and waits for " + strings.Join(obj.Finalizers, ", ")}
}

// unseen is about a change that status says nothing of yet.
func unseen(obj *v1alpha1.CDPCredential, now time.Time) *finding {
	if obj.Status.ObservedGeneration >= obj.Generation {
		return nil
	}
	changed := lastChange(obj)
	if now.Sub(changed.Time) < attention {
		return &finding{reason: reasonPending, since: &changed}
	}
	return &finding{reason: reasonAbsent, since: &changed}
}

// overdue is about status that time has overtaken.
func overdue(obj *v1alpha1.CDPCredential, now time.Time) *finding {
	expires, next := obj.Status.TokenExpirationTime, obj.Status.NextRefreshTime
	switch {
	case expires != nil && meta.IsStatusConditionTrue(obj.Status.Conditions, v1alpha1.ConditionReady) && now.Sub(expires.Time) > lateness:
		return &finding{reason: reasonAbsent, since: expires}
	case next != nil && now.Sub(next.Time) > lateness:
		return &finding{reason: reasonAbsent, since: next}
	}
	return nil
}

// expiredToken returns a finding if the token has expired and the operator has not reported that yet.
func expiredToken(obj *v1alpha1.CDPCredential, now time.Time) *finding {
	expires := obj.Status.TokenExpirationTime
	if expires == nil || now.Before(expires.Time) {
		return nil
	}
	return &finding{reason: v1alpha1.ReasonTokenExpired, since: expires}
}

func suspended(obj *v1alpha1.CDPCredential, _ time.Time) *finding {
	if !obj.Spec.Suspend {
		return nil
	}
	f := &finding{reason: v1alpha1.ReasonSuspended}
	if at, ok := lastChangeOf(obj, `"f:suspend":{}`); ok {
		f.since = &at
	}
	return f
}

func rejectedByAPI(obj *v1alpha1.CDPCredential, _ time.Time) *finding {
	return falseCondition(obj, v1alpha1.ConditionVerified)
}

func notRefreshed(obj *v1alpha1.CDPCredential, _ time.Time) *finding {
	return falseCondition(obj, v1alpha1.ConditionRefreshed)
}

func withoutToken(obj *v1alpha1.CDPCredential, _ time.Time) *finding {
	return falseCondition(obj, v1alpha1.ConditionReady)
}

func falseCondition(obj *v1alpha1.CDPCredential, kind string) *finding {
	c := meta.FindStatusCondition(obj.Status.Conditions, kind)
	if c == nil || c.Status != metav1.ConditionFalse {
		return nil
	}
	return &finding{reason: c.Reason, since: &c.LastTransitionTime, message: c.Message}
}

// lastChange is when somebody last changed the spec, as far as the API server remembers.
func lastChange(obj *v1alpha1.CDPCredential) metav1.Time {
	if at, ok := lastChangeOf(obj, `"f:spec":{`); ok {
		return at
	}
	return obj.CreationTimestamp
}

// lastChangeOf is when one of those who set a field last changed something: the field itself was set then or before.
func lastChangeOf(obj *v1alpha1.CDPCredential, field string) (metav1.Time, bool) {
	var last metav1.Time
	for _, entry := range settersOf(obj, field) {
		if entry.Time != nil && last.Before(entry.Time) {
			last = *entry.Time
		}
	}
	return last, !last.IsZero()
}

// settersOf returns the entries of metadata.managedFields whose manager sets a field of the object, given as it is written there.
func settersOf(obj *v1alpha1.CDPCredential, field string) []metav1.ManagedFieldsEntry {
	var setters []metav1.ManagedFieldsEntry
	for _, entry := range obj.ManagedFields {
		ofObject := entry.Subresource == "" && entry.FieldsV1 != nil
		if ofObject && strings.Contains(entry.FieldsV1.GetRawString(), field) {
			setters = append(setters, entry)
		}
	}
	return setters
}
