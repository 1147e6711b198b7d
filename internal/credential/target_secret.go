// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// SeenTarget is what a process remembers of a target Secret that it read or wrote.
type SeenTarget struct {
	Name        string
	Version     string
	Content     Content
	Unusable    string
	ForeignKeys string
}

// unusable says why a Secret that was handed over cannot be written. Empty: it can.
func unusable(secret *corev1.Secret) string {
	switch {
	case secret.Immutable != nil && *secret.Immutable:
		return "is immutable"
	case secret.Type != corev1.SecretTypeOpaque && secret.Type != "":
		return "is not of type Opaque"
	}
	return ""
}

// Controlled reports whether another object controls a Secret: it would undo what we write.
func Controlled(meta *metav1.ObjectMeta) string {
	if meta.DeletionTimestamp != nil {
		return "is being deleted"
	}
	for _, ref := range meta.OwnerReferences {
		if isController(ref) && !toCredential(ref) {
			return "is controlled by " + controllerName(ref)
		}
	}
	return ""
}

// controllerName names another object where its reference looks like one: whoever may write Secrets may write anything there, and this is for status.
func controllerName(ref metav1.OwnerReference) string {
	if !isName(ref.Name) || !isKind.MatchString(ref.Kind) {
		return "another object"
	}
	return ref.Kind + " " + ref.Name
}

var isKind = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,62}$`)

// TargetSecretOf is a target Secret that was read, beside the record that it carries.
func TargetSecretOf(secret *corev1.Secret, rec *PersistedState) TargetSecret {
	t := TargetSecret{Name: secret.Name, Found: true, Version: VersionOf(&secret.ObjectMeta), Metadata: secret.ObjectMeta, Persisted: rec, Secret: secret}
	switch {
	case t.Persisted == nil || t.Persisted.TokenIn(secret.Data) == nil || t.Persisted.TokenMACOf(t.Persisted.TokenIn(secret.Data)) != t.Persisted.TokenMAC:
		t.Content = ContentReplaced
	case t.Persisted.DataMACOf(secret.Data, t.Persisted.Keys) != t.Persisted.DataMAC:
		t.Content = ContentEdited
	}
	t.ForeignKeys = foreignKeys(secret.Data, t.Persisted)
	if t.Unusable = unusable(secret); t.Unusable == "" {
		t.Unusable = Controlled(&secret.ObjectMeta)
	}
	return t
}

// DataRevision is the name of the data that the target holds. Empty: it holds none of the object's.
func (t *TargetSecret) DataRevision(object string) string {
	if !t.HasToken() || t.Owner() != object {
		return ""
	}
	if len(t.Persisted.DataRevision) > maxDataRevision {
		return unnamed
	}
	return cmp.Or(t.Persisted.DataRevision, unnamed)
}

// A target that was handed over may hold keys of others. It has no owner reference of ours then, since the garbage collector would delete theirs with
// ours; when its object is deleted, what we wrote is taken out of it.

const (
	// SomeForeign stands for keys of which the names are not known.
	SomeForeign = "…"
	// maxForeign bounds how many names are kept of one Secret.
	maxForeign = 16
)

// foreignKeys names the keys in a Secret's data that we did not write, with a slash, which no key has, between any two. Of many it names the first.
func foreignKeys(data map[string][]byte, rec *PersistedState) string {
	var names []string
	for _, key := range SortedKeys(data) {
		if rec != nil && slices.Contains(rec.Keys, key) {
			continue
		}
		if names = append(names, key); len(names) > maxForeign {
			names[maxForeign] = SomeForeign
			break
		}
	}
	return strings.Join(names, "/")
}

// SharedBeside reports whether the Secret holds keys that are none of ours.
func (t *TargetSecret) SharedBeside(ours []string) bool { return Without(t.ForeignKeys, ours) != "" }

// Without takes our own names out of those of foreign keys: we write them from now on.
func Without(foreign string, ours []string) string {
	if foreign == "" {
		return ""
	}
	return strings.Join(slices.DeleteFunc(strings.Split(foreign, "/"), func(key string) bool { return slices.Contains(ours, key) }), "/")
}

// Seen returns what is to be remembered of the Secret.
func (t *TargetSecret) Seen() SeenTarget {
	return SeenTarget{Name: t.Name, Version: t.Version, Content: t.Content, Unusable: t.Unusable, ForeignKeys: t.ForeignKeys}
}

// SharedTarget is the target that would stay when the object is deleted, with what we wrote taken out. Empty: it goes, or stays as it is.
func SharedTarget(s *State) string {
	if !s.Target.HasToken() || s.Target.Owner() != s.Object.Name || Retains(&s.Object.Spec.Target) || !s.Target.SharedBeside(s.Target.Persisted.Keys) {
		return ""
	}
	return s.Target.Name
}

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

// NewTarget is the target Secret as it is made.
func NewTarget(obj *v1alpha1.CDPCredential, want TargetMetadata, data map[string][]byte) *corev1.Secret {
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: data}
	secret.Namespace, secret.Name = obj.Namespace, obj.Spec.Target.Name
	secret.Labels, secret.Annotations, secret.OwnerReferences = want.Labels, want.Annotations, want.OwnerReferences(nil)
	return secret
}

// Patch is the merge patch that makes the target hold data and metadata.
func (t *TargetSecret) Patch(want TargetMetadata, data map[string][]byte) ([]byte, error) {
	rec := t.Persisted
	if rec == nil {
		rec = &PersistedState{}
	}
	uid, resourceVersion := SplitVersion(t.Version)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{
			"uid": uid, "resourceVersion": resourceVersion,
			"labels":          changes(want.Labels, rec.Labels),
			"annotations":     changes(want.Annotations, append(rec.Annotations, v1alpha1.ExpiresAtAnnotation)),
			"ownerReferences": want.OwnerReferences(t.Metadata.OwnerReferences),
		},
		"data": changes(data, rec.Keys),
	})
	if err != nil {
		return nil, fmt.Errorf("write the patch of the target Secret: %w", err)
	}
	return patch, nil
}

// changes is the part of a merge patch (RFC 7396) that makes a map hold want and none of the keys that we had put there before.
func changes[V any](want map[string]V, had []string) map[string]any {
	patch := make(map[string]any, len(want))
	for _, key := range had {
		patch[key] = nil
	}
	for key, value := range want {
		patch[key] = value
	}
	return patch
}

// Recall fills in what is in a target of which only metadata was read, from what this process saw or from status. It reports whether either knows.
func (t *TargetSecret) Recall(seen SeenTarget, known bool, status *v1alpha1.CDPCredentialStatus) bool {
	writtenByUs := t.Persisted != nil && status.TargetName == t.Name && status.TargetVersion == t.Version
	switch {
	case known && seen.Version == t.Version:
		t.Content, t.Unusable, t.ForeignKeys = seen.Content, seen.Unusable, seen.ForeignKeys
	case writtenByUs:
		t.Content = ContentIntact
		if t.Persisted.Shared {
			t.ForeignKeys = SomeForeign
		}
	default:
		return false
	}
	if other := Controlled(&t.Metadata); other != "" {
		t.Unusable = other
	}
	return true
}
