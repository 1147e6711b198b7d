// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A StaleMemory is what is left to do about Secrets that are not the target any more.
type StaleMemory struct {
	// SharedTarget is the name of the target if that stays when the object is deleted, and only loses our keys. Empty: it does not.
	SharedTarget string
	// Cleanup is what is left to do about targets of previous names.
	Cleanup Cleanup
}

// Cleanup is what is left to do about targets of previous names.
type Cleanup struct {
	// Before is the target that status named last. Nothing else may point to it.
	Before string
	// Failures counts the failed tries in a row. At is when to try again. Reported says that an event was sent.
	Failures int32
	At       time.Time
	Reported bool
}

// The backoff of a stale target's deletion doubles from CleanupBackoff to CleanupMaxBackoff.
const (
	CleanupBackoff    = 5 * time.Second
	CleanupMaxBackoff = 10 * time.Minute
)

// Remember keeps the name of the previous target before status is overwritten.
func (c *Cleanup) Remember(s *State) {
	if old := s.SavedStatus.TargetName; old != "" && old != s.Object.Spec.Target.Name {
		c.Before = old
	}
}

// StaleTargetMessage is the message for a stale target that the API server does not let the operator clean up.
func StaleTargetMessage(obj *v1alpha1.CDPCredential, name string, err error) string {
	verb, fix := "delete", "delete it by hand"
	if Retains(&obj.Spec.Target) {
		verb, fix = "remove the owner reference from", "remove it by hand, or the Secret is deleted with this object"
	}
	return fmt.Sprintf("The API server does not let the operator %s Secret %s, the previous target (%s): %s, or ask whoever runs the cluster for its admission "+
		"policies and the operator's rights", verb, name, apierrors.ReasonForError(err), fix)
}

// SharedTarget returns the name of a target that stays when the object is deleted, and only loses our keys. Empty: it goes, or stays as it is.
func SharedTarget(s *State) string {
	t := &s.Target
	ours := t.HasToken() && t.Owner() == s.Object.Name
	if !ours || Retains(&s.Object.Spec.Target) || !t.SharedBeside(t.Persisted.Keys) {
		return ""
	}
	return t.Name
}
