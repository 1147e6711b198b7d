package controllers

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A target that was handed over may hold keys of others. It has no owner reference of ours then, since the garbage collector would delete theirs with
// ours; when its object is deleted, what we wrote is taken out of it.

const (
	// someForeign stands for keys of which the names are not known.
	someForeign = "…"
	// maxForeign bounds how many names are kept of one Secret.
	maxForeign = 16
)

// foreignKeys names the keys in a Secret's data that we did not write, with a slash, which no key has, between any two. Of many it names the first.
func foreignKeys(data map[string][]byte, rec *record) string {
	var names []string
	for _, key := range sortedKeys(data) {
		if rec != nil && slices.Contains(rec.Keys, key) {
			continue
		}
		if names = append(names, key); len(names) > maxForeign {
			names[maxForeign] = someForeign
			break
		}
	}
	return strings.Join(names, "/")
}

// sharedBeside reports whether the Secret holds keys that are none of ours.
func (t *targetView) sharedBeside(ours []string) bool { return without(t.foreign, ours) != "" }

// without takes our own names out of those of foreign keys: we write them from now on.
func without(foreign string, ours []string) string {
	if foreign == "" {
		return ""
	}
	return strings.Join(slices.DeleteFunc(strings.Split(foreign, "/"), func(key string) bool { return slices.Contains(ours, key) }), "/")
}

func (t *targetView) seen() seenTarget {
	return seenTarget{name: t.name, version: t.version, content: t.content, unusable: t.unusable, foreign: t.foreign}
}

// sharedTarget is the target that would stay when the object is deleted, with what we wrote taken out. Empty: it goes, or stays as it is.
func sharedTarget(v *view) string {
	if !v.target.has() || v.target.owner() != v.obj.Name || retains(&v.obj.Spec.Target) || !v.target.sharedBeside(v.target.rec.Keys) {
		return ""
	}
	return v.target.name
}

// isShared reports whether a target of before holds keys that are none of ours. It is looked into unless this process knows what is in it.
func (r *CDPCredentialReconciler) isShared(ctx context.Context, obj *v1alpha1.CDPCredential, mem *remembered, secret *metav1.PartialObjectMetadata, ours []string) (bool, error) {
	if seen, known := mem.seen(secret.Name); known && seen.version == versionOf(&secret.ObjectMeta) {
		return without(seen.foreign, ours) != "", nil
	}
	t, err := r.readTarget(ctx, obj, secret.Name)
	return t.sharedBeside(ours), err
}

// withdraw takes what we wrote out of the shared target of an object that is gone. One that only left the cache, because its labels have given it to
// another shard, needs it still.
func (r *CDPCredentialReconciler) withdraw(ctx context.Context, object types.NamespacedName) error {
	mem := r.memory.known(object)
	if mem == nil || mem.sharedTarget == "" {
		return nil
	}
	secret := secretMetadata(object.Namespace, mem.sharedTarget)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); err != nil {
		return client.IgnoreNotFound(err)
	}
	if secret.Annotations[v1alpha1.CredentialAnnotation] != object.Name {
		return nil // it was handed on
	}
	if there, err := r.isThere(ctx, object); there || err != nil {
		return err
	}
	rec := parseRecord(secret.Annotations[v1alpha1.StateAnnotation], object.Name)
	if rec == nil {
		return nil
	}
	err := r.strip(ctx, secret, rec)
	if refusedByPolicy(err) {
		ctrl.LoggerFrom(ctx).Error(err, "Failed to take the token out of a Secret that stays: delete its keys by hand", "secret", secret.Name)
		return nil
	}
	return err
}

// isThere asks the API server for an object of that name.
func (r *CDPCredentialReconciler) isThere(ctx context.Context, object types.NamespacedName) (bool, error) {
	obj := &v1alpha1.CDPCredential{ObjectMeta: metav1.ObjectMeta{Namespace: object.Namespace, Name: object.Name}}
	if err := r.Live.Get(ctx, object, obj); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return true, nil
}

// strip takes our keys and metadata out of a Secret, as far as a record names them.
func (r *CDPCredentialReconciler) strip(ctx context.Context, secret *metav1.PartialObjectMetadata, rec *record) error {
	none := metadata{}
	ours := append(slices.Clone(rec.Annotations), v1alpha1.CredentialAnnotation, v1alpha1.ExpiresAtAnnotation, v1alpha1.StateAnnotation)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{
			"uid": secret.UID, "resourceVersion": secret.ResourceVersion, "ownerReferences": none.owners(secret.OwnerReferences),
			"labels":      changes(map[string]string{}, rec.Labels),
			"annotations": changes(map[string]string{}, ours),
		},
		"data": changes(map[string][]byte{}, rec.Keys),
	})
	if err != nil {
		return err
	}
	err = r.Client.Patch(ctx, secret.DeepCopy(), client.RawPatch(types.MergePatchType, patch), client.FieldOwner(v1alpha1.ManagedBy))
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return &requestError{verb: "patch", resource: "secrets", name: secret.Name, err: err}
}
