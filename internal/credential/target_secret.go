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
	// Persisted is nil where there is no record of ours, or none that can be read.
	Persisted *PersistedState
	Content   Content
	// Unusable says why the Secret could not be written though it was handed over.
	Unusable string
	// ForeignKeys names keys of others in the Secret, as foreignKeys does.
	ForeignKeys string
	// Secret is nil unless this pass has read it.
	Secret *corev1.Secret
}

// Content is the state of a target Secret's data.
type Content int

const (
	// ContentIntact is as we wrote it.
	ContentIntact Content = iota
	// ContentEdited has our token, but other keys are not as we wrote them.
	ContentEdited
	// ContentReplaced has another token than we wrote, or never had one.
	ContentReplaced
)

// Owner is the name of the CDPCredential that owns the Secret's content. Empty: none does.
func (t *TargetSecret) Owner() string { return t.Metadata.Annotations[v1alpha1.CredentialAnnotation] }

// HasToken reports whether the Secret holds a token of ours, expired or not.
func (t *TargetSecret) HasToken() bool {
	return t.Found && t.Persisted != nil && t.Content != ContentReplaced
}

// HoldsToken reports whether the Secret holds a token that is still good.
func (t *TargetSecret) HoldsToken(now time.Time) bool {
	return t.HasToken() && !t.Persisted.Expired(now)
}

// Records reports whether the Secret has this very record, and holds what it says.
func (t *TargetSecret) Records(state []byte) bool {
	return t.HasToken() && t.Content == ContentIntact && t.Metadata.Annotations[v1alpha1.StateAnnotation] == string(state)
}

// SharedBeside reports whether the Secret holds keys that are none of ours.
func (t *TargetSecret) SharedBeside(ours []string) bool { return Without(t.ForeignKeys, ours) != "" }
