package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/render"
)

// metadata is what we put on a target Secret beside its data.
type metadata struct {
	labels, annotations map[string]string
	// owner is the controller reference. Nil with Retain: the Secret must outlive the object.
	owner *metav1.OwnerReference
}

// wantedMetadata never copies the object's own labels and annotations: a GitOps tool would take the Secret for its own and prune it.
func wantedMetadata(obj *v1alpha1.CDPCredential, expiresAt time.Time) metadata {
	m := metadata{labels: textMap(obj.Spec.Target.Labels), annotations: textMap(obj.Spec.Target.Annotations)}
	if m.labels == nil {
		m.labels = map[string]string{}
	}
	if m.annotations == nil {
		m.annotations = map[string]string{}
	}
	m.labels[v1alpha1.ManagedByLabel] = v1alpha1.ManagedBy
	m.annotations[v1alpha1.CredentialAnnotation] = obj.Name
	if !expiresAt.IsZero() {
		m.annotations[v1alpha1.ExpiresAtAnnotation] = expiryText(expiresAt)
	}
	if !retains(&obj.Spec.Target) {
		// Without blockOwnerDeletion, which would need the right to set finalizers on the object.
		m.owner = &metav1.OwnerReference{
			APIVersion: v1alpha1.GroupVersion.String(), Kind: "CDPCredential", Name: obj.Name, UID: obj.UID, Controller: new(true),
		}
	}
	return m
}

// expiryText has whole seconds, rounded down: never later than the truth.
func expiryText(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// owners is have with our reference as it should be. A reference to a CDPCredential of our name with another UID is of before a restore
// from a backup.
func (m *metadata) owners(have []metav1.OwnerReference) []metav1.OwnerReference {
	want := slices.DeleteFunc(slices.Clone(have), m.ours)
	if m.owner != nil {
		want = append(want, *m.owner)
	}
	return want
}

func (m *metadata) ours(ref metav1.OwnerReference) bool {
	return ref.Kind == "CDPCredential" && strings.HasPrefix(ref.APIVersion, v1alpha1.GroupVersion.Group+"/") && ref.Name == m.annotations[v1alpha1.CredentialAnnotation]
}

func sameOwners(a, b []metav1.OwnerReference) bool {
	return slices.EqualFunc(a, b, func(a, b metav1.OwnerReference) bool {
		return a.UID == b.UID && a.Name == b.Name && a.Kind == b.Kind && a.APIVersion == b.APIVersion && isController(a) == isController(b)
	})
}

func isController(ref metav1.OwnerReference) bool { return ref.Controller != nil && *ref.Controller }

// unusable says why a Secret that was handed over cannot be written. Empty: it can.
func unusable(secret *corev1.Secret) string {
	switch {
	case secret.Immutable != nil && *secret.Immutable:
		return "is immutable"
	case secret.Type != corev1.SecretTypeOpaque && secret.Type != "":
		return "has the type " + shorten(string(secret.Type), 64) + ", not Opaque"
	}
	return ""
}

// controlled says whether another object controls a Secret: it would undo what we write.
func controlled(meta *metav1.ObjectMeta, obj *v1alpha1.CDPCredential) string {
	want := wantedMetadata(obj, time.Time{})
	for _, ref := range meta.OwnerReferences {
		if isController(ref) && !want.ours(ref) {
			return fmt.Sprintf("is controlled by %s %s", ref.Kind, ref.Name)
		}
	}
	return ""
}

// publication is a token on its way into the target, with all that the record says of it.
type publication struct {
	token exchange.Token
	req   exchange.Request
	rec   record
}

// dataFor is the target's data: the token, the headers that go with it, and the user's templates.
func dataFor(obj *v1alpha1.CDPCredential, p *publication) (map[string][]byte, error) {
	headers := p.req.APIHeaders(p.token.Value, p.token.Type)
	data := map[string][]byte{}
	values := render.Values{
		Token: string(p.token.Value), TokenType: p.token.Type, ClientID: string(p.req.Client.ID), Scopes: p.rec.Granted, Headers: headers,
	}
	if values.Scopes == nil {
		values.Scopes = p.req.Scopes
	}
	if !p.rec.ExpiresAt.IsZero() {
		values.ExpiresAt = expiryText(p.rec.ExpiresAt)
	}
	if p.req.Provider == exchange.Basic {
		data["username"] = []byte(p.req.Client.TokenID)
		data["password"] = []byte(p.req.Client.TokenSecret)
		data["authorization"] = []byte(headers[p.req.TokenHeader()])
		values.ClientID = string(p.req.Client.TokenID)
	} else {
		data["token"] = []byte(p.token.Value)
		for name, value := range headers {
			if name != p.req.TokenHeader() {
				data[name] = []byte(value)
			}
		}
	}
	templates, err := render.Compile(textMap(obj.Spec.Target.Data))
	if err != nil {
		return nil, err
	}
	rendered, err := templates.Render(values)
	if err != nil {
		return nil, err
	}
	maps.Copy(data, rendered)
	return data, nil
}

// errNamespaceTerminating says that nothing can be made in the namespace any more.
var errNamespaceTerminating = errors.New("the namespace is being deleted")

// A notOurs says that somebody else's Secret was met where the target should be, or one that cannot be written.
type notOurs struct{ target targetView }

func (e *notOurs) Error() string { return "the target Secret is not ours to write" }

// write publishes p in the target Secret and returns its version. It touches no Secret that is not ours, whatever the cache said.
func (r *CDPCredentialReconciler) write(ctx context.Context, v *view, p *publication) (string, error) {
	data, err := dataFor(v.obj, p)
	if err != nil {
		return "", err
	}
	p.rec.Shape = shapeOf(&v.obj.Spec.Target)
	p.rec.Keys = sortedKeys(data)
	want := wantedMetadata(v.obj, p.rec.ExpiresAt)
	p.rec.Labels, p.rec.Annotations = sortedKeys(want.labels), sortedKeys(want.annotations)
	p.rec.Token, p.rec.Data = p.rec.seal(tokenKey(data)), p.rec.sealData(data, p.rec.Keys)
	state, err := json.Marshal(p.rec)
	if err != nil {
		return "", fmt.Errorf("write the record: %w", err)
	}
	want.annotations[v1alpha1.StateAnnotation] = string(state)

	target := v.target
	for range 3 { // a token in the hand is not given up because somebody else wrote the Secret at the same moment
		var version string
		if target.found {
			version, err = r.patchTarget(ctx, v.obj.Namespace, &target, want, data)
		} else {
			version, err = r.createTarget(ctx, v.obj, want, data)
		}
		switch {
		case err == nil:
			return version, nil
		case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
			return "", errNamespaceTerminating
		case !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err):
			return "", err
		}
		if target, err = r.readTarget(ctx, v.obj, v.target.name); err != nil {
			return "", err
		}
		if target.found && (target.owner() != v.obj.Name || target.unusable != "") {
			return "", &notOurs{target}
		}
	}
	return "", fmt.Errorf("write Secret %s: it kept changing", v.target.name)
}

func (r *CDPCredentialReconciler) createTarget(ctx context.Context, obj *v1alpha1.CDPCredential, want metadata, data map[string][]byte) (string, error) {
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: data}
	secret.Namespace, secret.Name = obj.Namespace, obj.Spec.Target.Name
	secret.Labels, secret.Annotations, secret.OwnerReferences = want.labels, want.annotations, want.owners(nil)
	if err := r.Client.Create(ctx, secret, client.FieldOwner(v1alpha1.ManagedBy)); err != nil {
		return "", fmt.Errorf("create target Secret: %w", err)
	}
	return versionOf(&secret.ObjectMeta), nil
}

// patchTarget changes our own keys and no others, and only if the Secret is still the one that was decided on.
func (r *CDPCredentialReconciler) patchTarget(ctx context.Context, namespace string, target *targetView, want metadata, data map[string][]byte) (string, error) {
	rec := target.rec
	if rec == nil {
		rec = &record{}
	}
	uid, resourceVersion := splitVersion(target.version)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{
			"uid": uid, "resourceVersion": resourceVersion,
			"labels":          changes(want.labels, rec.Labels),
			"annotations":     changes(want.annotations, append(rec.Annotations, v1alpha1.ExpiresAtAnnotation)),
			"ownerReferences": want.owners(target.meta.OwnerReferences),
		},
		"data": changes(data, rec.Keys),
	})
	if err != nil {
		return "", fmt.Errorf("write the patch of the target Secret: %w", err)
	}
	got := secretMetadata(namespace, target.name)
	if err := r.Client.Patch(ctx, got, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(v1alpha1.ManagedBy)); err != nil {
		return "", fmt.Errorf("patch target Secret: %w", err)
	}
	return versionOf(&got.ObjectMeta), nil
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

func secretMetadata(namespace, name string) *metav1.PartialObjectMetadata {
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	meta.Namespace, meta.Name = namespace, name
	return meta
}

// removeLeftovers deletes what earlier names of the target have left behind, once the token is in the right one. Nothing is deleted with
// Retain, and nothing that does not say that it is ours.
func (r *CDPCredentialReconciler) removeLeftovers(ctx context.Context, obj *v1alpha1.CDPCredential) error {
	if retains(&obj.Spec.Target) {
		return nil
	}
	owned := &metav1.PartialObjectMetadataList{}
	owned.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := r.Client.List(ctx, owned, client.InNamespace(obj.Namespace), client.MatchingFields{ownedByField: string(obj.UID)}, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list owned Secrets: %w", err)
	}
	names := map[string]bool{}
	for i := range owned.Items {
		names[owned.Items[i].Name] = true
	}
	if old := obj.Status.TargetName; old != "" {
		names[old] = true
	}
	delete(names, obj.Spec.Target.Name)
	for _, name := range sortedKeys(names) {
		meta := secretMetadata(obj.Namespace, name)
		if err := r.Client.Get(ctx, client.ObjectKeyFromObject(meta), meta); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return fmt.Errorf("read Secret %s: %w", name, err)
		}
		if meta.Annotations[v1alpha1.CredentialAnnotation] != obj.Name || meta.Annotations[v1alpha1.StateAnnotation] == "" {
			continue
		}
		err := r.Client.Delete(ctx, meta, client.Preconditions{UID: &meta.UID, ResourceVersion: &meta.ResourceVersion})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete Secret %s: %w", name, err)
		}
	}
	return nil
}
