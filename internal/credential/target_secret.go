// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A TargetSecret is what is known of a target Secret.
type TargetSecret struct {
	Name     string
	Found    bool
	Version  string
	Metadata metav1.ObjectMeta
	// Persisted is nil if the annotation is missing, unreadable or another object's.
	Persisted *PersistedState
	Content   Content
	// Unusable says why we could not write the Secret, though it is ours by its annotation. Empty: we can.
	Unusable string
	// ForeignKeys has the names of keys that we did not write; see foreignKeys.
	ForeignKeys string
	// Secret is nil unless this reconcile has read it.
	Secret *corev1.Secret
}

// Content says whether a target Secret's data is as we wrote it.
type Content int

const (
	// ContentIntact is data as we wrote it.
	ContentIntact Content = iota
	// ContentEdited has our token, but other keys were changed.
	ContentEdited
	// ContentReplaced has another token than we wrote, or never had one.
	ContentReplaced
)

// Owner returns the name of the CDPCredential that the Secret belongs to. Empty: none.
func (t *TargetSecret) Owner() string { return t.Metadata.Annotations[v1alpha1.CredentialAnnotation] }

// HasToken reports whether the Secret holds a token of ours, expired or not.
func (t *TargetSecret) HasToken() bool {
	return t.Found && t.Persisted != nil && t.Content != ContentReplaced
}

// HoldsToken reports whether the Secret holds a token of ours that has not expired.
func (t *TargetSecret) HoldsToken(now time.Time) bool {
	return t.HasToken() && !t.Persisted.Expired(now)
}

// Records reports whether the Secret has exactly this persisted state, and the data that belongs to it.
func (t *TargetSecret) Records(state []byte) bool {
	return t.HasToken() && t.Content == ContentIntact && t.Metadata.Annotations[v1alpha1.StateAnnotation] == string(state)
}

// SharedBeside reports whether the Secret holds keys that are not ours.
func (t *TargetSecret) SharedBeside(ours []string) bool { return Without(t.ForeignKeys, ours) != "" }
