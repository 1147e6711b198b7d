package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// errNamespaceTerminating says that nothing can be made in the namespace any more.
var errNamespaceTerminating = errors.New("the namespace is being deleted")

// errSuperseded says that what was to be written is no longer the best there is: the next pass decides again.
var errSuperseded = errors.New("the token was superseded before it could be written")

// A notOursError says that somebody else's Secret was met where the target should be, or one that cannot be written.
type notOursError struct{ target targetView }

func (e *notOursError) Error() string { return "the target Secret is not ours to write" }

// write publishes p in the target Secret and returns its version. It touches no Secret that is not ours, whatever the cache said.
func (r *CDPCredentialReconciler) write(ctx context.Context, v *view, mem *remembered, p *publication) (string, error) {
	r.stamp(&p.rec)
	data, err := dataFor(v.obj, p)
	if err != nil {
		return "", err
	}
	p.rec.Shape = shapeOf(&v.obj.Spec.Target)
	p.rec.Keys = sortedKeys(data)
	p.rec.Default = slices.DeleteFunc(sortedKeys(data), func(key string) bool { _, templated := v.obj.Spec.Target.Data[key]; return templated })
	want, err := r.describe(v, p, data)
	if err != nil {
		return "", err
	}

	target := v.target
	for range 3 { // a token in the hand is not given up because somebody else wrote the Secret at the same moment
		if p.rec.expired(r.Clock.Now()) {
			return "", errSuperseded // this process was stopped for a while between the answer and now
		}
		var written *metav1.ObjectMeta
		if target.found {
			written, err = r.patchTarget(ctx, v.obj.Namespace, &target, want, data, p.rehearsal)
		} else {
			written, err = r.createTarget(ctx, v.obj, want, data, p.rehearsal)
		}
		switch {
		case err == nil:
			if !p.rehearsal {
				r.expectEvent(v.obj, want, written)
			}
			return versionOf(written), nil
		case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
			return "", errNamespaceTerminating
		case !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err):
			return "", err
		}
		// What is found is remembered: the cache may take a while to show it.
		if target, err = r.lookInto(ctx, v.obj, mem, v.target.name); err != nil {
			return "", err
		}
		if target.found && (target.owner() != v.obj.Name || target.unusable != "") {
			return "", &notOursError{target}
		}
		switch {
		case target.records([]byte(want.annotations[v1alpha1.StateAnnotation])):
			return target.version, nil // it was written already, and the answer to that was lost
		case target.has() && !p.rec.IssuedAt.After(target.rec.IssuedAt):
			return "", errSuperseded // another replica has written a token since
		}
		v.target.foreign = target.foreign // there may be a key of somebody else in it now
		if want, err = r.describe(v, p, data); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("write Secret %s: it kept changing", v.target.name)
}

// expectEvent remembers what was written, for its event. What a webhook has changed is left to the next pass, which the event makes.
func (r *CDPCredentialReconciler) expectEvent(obj *v1alpha1.CDPCredential, want metadata, written *metav1.ObjectMeta) {
	if want.on(written) {
		r.OwnWrites.wrote(client.ObjectKeyFromObject(obj), versionOf(written))
	}
}

// describe completes the record for a target that holds what the view says of it, and gives the metadata that it is to be written with.
func (r *CDPCredentialReconciler) describe(v *view, p *publication, data map[string][]byte) (metadata, error) {
	if !p.revised {
		if err := r.setDataRevision(v, &p.rec); err != nil {
			return metadata{}, err
		}
		p.revised = true
	}
	p.rec.Shared = v.target.sharedBeside(p.rec.Keys)
	want := wantedMetadata(v.obj, p.rec.shownExpiry(), p.rec.Shared)
	p.rec.Labels, p.rec.Annotations = sortedKeys(want.labels), sortedKeys(want.annotations)
	p.rec.Token, p.rec.Data = p.rec.seal(p.rec.tokenIn(data)), p.rec.sealData(data, p.rec.Keys)
	state, err := json.Marshal(p.rec.written())
	if err != nil {
		return metadata{}, fmt.Errorf("write the record: %w", err)
	}
	want.annotations[v1alpha1.StateAnnotation] = string(state)
	return want, nil
}

// records says whether the Secret has this very record, and holds what it says.
func (t *targetView) records(state []byte) bool {
	return t.has() && t.content == intact && t.meta.Annotations[v1alpha1.StateAnnotation] == string(state)
}

func (r *CDPCredentialReconciler) createTarget(ctx context.Context, obj *v1alpha1.CDPCredential, want metadata, data map[string][]byte, rehearsal bool) (*metav1.ObjectMeta, error) {
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: data}
	secret.Namespace, secret.Name = obj.Namespace, obj.Spec.Target.Name
	secret.Labels, secret.Annotations, secret.OwnerReferences = want.labels, want.annotations, want.owners(nil)
	opts := []client.CreateOption{client.FieldOwner(v1alpha1.ManagedBy)}
	if rehearsal {
		opts = append(opts, client.DryRunAll)
	}
	if err := r.Client.Create(ctx, secret, opts...); err != nil {
		return nil, &requestError{verb: "create", resource: "secrets", name: secret.Name, err: err}
	}
	return &secret.ObjectMeta, nil
}

// patchTarget changes our own keys and no others, and only if the Secret is still the one that was decided on.
func (r *CDPCredentialReconciler) patchTarget(ctx context.Context, namespace string, target *targetView, want metadata, data map[string][]byte, rehearsal bool) (*metav1.ObjectMeta, error) {
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
		return nil, fmt.Errorf("write the patch of the target Secret: %w", err)
	}
	got := secretMetadata(namespace, target.name)
	opts := []client.PatchOption{client.FieldOwner(v1alpha1.ManagedBy)}
	if rehearsal {
		opts = append(opts, client.DryRunAll)
	}
	if err := r.Client.Patch(ctx, got, client.RawPatch(types.MergePatchType, patch), opts...); err != nil {
		return nil, &requestError{verb: "patch", resource: "secrets", name: target.name, err: err}
	}
	return &got.ObjectMeta, nil
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
