// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
)

// An apiServer holds CDPCredentials and Secrets as the real one does: what is stored is never changed but replaced, every change has a
// version of its own, and a change of nothing is none. It does what it is asked at once; its clients and its watches are what takes time.
type apiServer struct {
	w           *world
	credentials map[types.NamespacedName]*v1alpha1.CDPCredential
	secrets     map[types.NamespacedName]*corev1.Secret
	// changes are all there were, in order: that at i made the version firstVersion+i.
	changes []change
	uids    int
	// skipped is by how much its versions are beyond those.
	skipped int
	// mutate is what a webhook makes of a Secret that the operator writes. Nil: nothing.
	mutate    func(*corev1.Secret) *corev1.Secret
	mutatedAt time.Duration
	// ending are the namespaces that are being deleted: nothing can be made in them any more.
	ending map[string]bool
	// remadeAt is when each of those that ended was made anew.
	remadeAt map[string]time.Duration
	// history, if not nil, keeps all that happens, to be compared with what the real API server says.
	history *history

	trimMetadata, trimCredential cache.TransformFunc
}

const firstVersion = 1000

// A change is what a watch tells: the object, or nil where it was deleted, as the cache's transforms leave it.
type change struct {
	at         time.Duration
	name       types.NamespacedName
	ofSecret   bool
	credential *v1alpha1.CDPCredential
	metadata   *metav1.PartialObjectMetadata
	// by is the pass that made it, of a replica that was deposed by then. Nil: a user, or the garbage collector.
	by      *pass
	deposed bool
}

var (
	secretResource     = schema.GroupResource{Resource: "secrets"}
	credentialResource = schema.GroupResource{Group: v1alpha1.GroupVersion.Group, Resource: "cdpcredentials"}
	secretKind         = corev1.SchemeGroupVersion.WithKind("Secret")
)

func newAPIServer(w *world) *apiServer {
	history := w.wires.history
	w.wires.history = nil // of one world only: there is another at the end of each
	return &apiServer{
		w: w, history: history, credentials: map[types.NamespacedName]*v1alpha1.CDPCredential{}, secrets: map[types.NamespacedName]*corev1.Secret{},
		ending:       map[string]bool{},
		remadeAt:     map[string]time.Duration{},
		trimMetadata: slimcache.SecretMetadata(func(key string) bool { return credential.AllowedTargetKey(key, nil) }), trimCredential: slimcache.Credentials(),
	}
}

func (s *apiServer) nextVersion() string {
	return strconv.Itoa(firstVersion + s.skipped + len(s.changes))
}

func (s *apiServer) meta(o *metav1.ObjectMeta, name types.NamespacedName) {
	s.uids++
	o.Namespace, o.Name, o.ResourceVersion = name.Namespace, name.Name, s.nextVersion()
	o.UID = types.UID(fmt.Sprintf("uid-%d-%d", s.w.seed, s.uids))
	o.CreationTimestamp = metav1.NewTime(s.w.clock().Truncate(time.Second))
}

// setSecret stores a Secret, or deletes it where it is nil, and tells everybody.
func (s *apiServer) setSecret(by *pass, name types.NamespacedName, secret *corev1.Secret) {
	before, wanted := s.secrets[name], secret
	if before == nil && secret == nil {
		return // it was gone already
	}
	if secret != nil && finalized(&secret.ObjectMeta) {
		secret, wanted = nil, nil
	}
	if secret != nil && by != nil && s.mutate != nil {
		secret, s.mutatedAt, s.w.judge.object(by.name).recordLost = s.mutate(secret), s.w.now, true
		s.w.judge.undone(s.w.judge.object(by.name))
	}
	c := change{at: s.w.now, name: name, ofSecret: true, by: by, deposed: by != nil && by.replica.deposed}
	if secret == nil {
		delete(s.secrets, name)
	} else {
		s.secrets[name] = secret
		seen, err := s.trimMetadata(&metav1.PartialObjectMetadata{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
			ObjectMeta: *secret.ObjectMeta.DeepCopy(),
		})
		if err != nil {
			panic(err)
		}
		c.metadata = seen.(*metav1.PartialObjectMetadata)
	}
	s.changes = append(s.changes, c)
	s.history.changed(s, name, true)
	s.w.judge.secretChanged(by, name, before, wanted)
	s.w.tellWatches()
	if secret != nil && s.orphaned(secret) {
		s.w.after(s.w.between(time.Second, 20*time.Second), func() { s.collect(name) })
	}
}

func (s *apiServer) setCredential(by *pass, name types.NamespacedName, obj *v1alpha1.CDPCredential) {
	c := change{at: s.w.now, name: name, by: by, deposed: by != nil && by.replica.deposed}
	if obj != nil && finalized(&obj.ObjectMeta) {
		obj = nil
	}
	if obj == nil {
		delete(s.credentials, name)
	} else {
		s.credentials[name] = obj
		seen, err := s.trimCredential(obj.DeepCopy())
		if err != nil {
			panic(err)
		}
		c.credential = seen.(*v1alpha1.CDPCredential)
	}
	s.changes = append(s.changes, c)
	s.history.changed(s, name, false)
	s.w.tellWatches()
	if obj == nil {
		s.collectOrphans(name)
	}
}

// finalized reports whether an object that is being deleted waits for nobody any more.
func finalized(o *metav1.ObjectMeta) bool {
	return o.DeletionTimestamp != nil && len(o.Finalizers) == 0
}

// markDeleted is what a delete makes of an object that has finalizers. Like any other change of what is wanted it counts as a generation, where
// the kind has them.
func (s *apiServer) markDeleted(o *metav1.ObjectMeta) {
	o.DeletionTimestamp, o.DeletionGracePeriodSeconds = new(metav1.NewTime(s.w.clock().Truncate(time.Second))), new(int64(0))
	o.ResourceVersion = s.nextVersion()
	if o.Generation > 0 {
		o.Generation++
	}
}

// orphaned says whether all owners of a Secret are gone. Of owners only CDPCredentials are known; others are taken to exist.
func (s *apiServer) orphaned(secret *corev1.Secret) bool {
	for _, ref := range secret.OwnerReferences {
		if owner := s.credentials[types.NamespacedName{Namespace: secret.Namespace, Name: ref.Name}]; ref.Kind != "CDPCredential" || owner != nil && owner.UID == ref.UID {
			return false
		}
	}
	return len(secret.OwnerReferences) > 0
}

// collect is the garbage collector: it looks again before it deletes.
func (s *apiServer) collect(name types.NamespacedName) {
	if secret := s.secrets[name]; secret != nil && s.orphaned(secret) {
		s.w.tell("garbage collector deletes Secret %s", name.Name)
		if err := s.deleteSecret(nil, name, &metav1.Preconditions{UID: &secret.UID}); err != nil {
			panic(err)
		}
	}
}

func (s *apiServer) createSecret(by *pass, name types.NamespacedName, secret *corev1.Secret) (_ *corev1.Secret, err error) {
	defer s.history.asked(s, apiRequest{verb: create, name: name, secret: secret}, &err)()
	if s.ending[name.Namespace] {
		return nil, namespaceEnding(name)
	}
	if s.secrets[name] != nil {
		return nil, apierrors.NewAlreadyExists(secretResource, name.Name)
	}
	stored := secret.DeepCopy()
	s.meta(&stored.ObjectMeta, name)
	if err := invalid(nil, stored); err != nil {
		return nil, err
	}
	s.setSecret(by, name, stored)
	return cmp.Or(s.secrets[name], stored), nil
}

// endNamespace is what a delete of a namespace does at first: what is in it goes one by one, which is for whoever calls this.
func (s *apiServer) endNamespace(name string) {
	s.ending[name] = true
	s.history.ended(name)
}

// remakeNamespace is that somebody makes the namespace anew.
func (s *apiServer) remakeNamespace(name string) {
	if s.ending[name] {
		delete(s.ending, name)
		s.remadeAt[name] = s.w.now
		s.history.remade(s, name)
	}
}

// namespaceEnding is how a create is refused in a namespace that is being deleted.
func namespaceEnding(name types.NamespacedName) error {
	err := apierrors.NewForbidden(secretResource, name.Name, fmt.Errorf("namespace %s is being terminated", name.Namespace))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: corev1.NamespaceTerminatingCause, Field: "metadata.namespace"})
	return err
}

// tryCreate is the dry run of a create.
func (s *apiServer) tryCreate(name types.NamespacedName) (err error) {
	defer s.history.asked(s, apiRequest{verb: dryCreate, name: name, secret: &corev1.Secret{}}, &err)()
	switch {
	case s.ending[name.Namespace]:
		return namespaceEnding(name)
	case s.secrets[name] != nil:
		return apierrors.NewAlreadyExists(secretResource, name.Name)
	}
	return nil
}

// editSecret changes a Secret as a user does, with whatever is there, unless it is refused.
func (s *apiServer) editSecret(name types.NamespacedName, edit func(*corev1.Secret)) {
	before := s.secrets[name]
	after := before.DeepCopy()
	edit(after)
	if equality.Semantic.DeepEqual(before, after) {
		return
	}
	if err := invalid(before, after); err != nil {
		s.w.tell("user: edit of Secret %s is refused: %v", name.Name, err)
		return
	}
	after.ResourceVersion = s.nextVersion()
	s.setSecret(nil, name, after)
}

// A secretPatch is all that a merge patch of a Secret may have in it.
type secretPatch struct {
	Metadata struct {
		UID             types.UID               `json:"uid"`
		ResourceVersion string                  `json:"resourceVersion"`
		Labels          map[string]*string      `json:"labels"`
		Annotations     map[string]*string      `json:"annotations"`
		OwnerReferences []metav1.OwnerReference `json:"ownerReferences"`
	} `json:"metadata"`
	Data map[string]*[]byte `json:"data"`
}

// tryPatch is the dry run of a patch.
func (s *apiServer) tryPatch(name types.NamespacedName, body []byte) (err error) {
	defer s.history.asked(s, apiRequest{verb: dryPatch, name: name, body: body}, &err)()
	_, _, err = s.patched(name, body)
	return err
}

// patched is what a Secret was, and what a patch makes of it.
func (s *apiServer) patched(name types.NamespacedName, body []byte) (before, after *corev1.Secret, err error) {
	patch := secretPatch{}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&patch); err != nil {
		return nil, nil, apierrors.NewBadRequest(err.Error())
	}
	before = s.secrets[name]
	if before == nil {
		return nil, nil, apierrors.NewNotFound(secretResource, name.Name)
	}
	if version := patch.Metadata.ResourceVersion; version != "" && version != before.ResourceVersion {
		return nil, nil, apierrors.NewConflict(secretResource, name.Name, fmt.Errorf("it is another version"))
	}
	after = before.DeepCopy()
	after.Labels = merged(after.Labels, patch.Metadata.Labels)
	after.Annotations = merged(after.Annotations, patch.Metadata.Annotations)
	after.Data = merged(after.Data, patch.Data)
	after.OwnerReferences = patch.Metadata.OwnerReferences
	after.UID = cmp.Or(patch.Metadata.UID, after.UID)
	if err := invalid(before, after); err != nil {
		return nil, nil, err
	}
	return before, after, nil
}

func (s *apiServer) patchSecret(by *pass, name types.NamespacedName, body []byte) (_ *corev1.Secret, err error) {
	defer s.history.asked(s, apiRequest{verb: patch, name: name, body: body}, &err)()
	before, after, err := s.patched(name, body)
	if err != nil {
		return nil, err
	}
	if equality.Semantic.DeepEqual(before, after) {
		s.w.judge.wroteNothing(by, "Secret "+name.Name)
		return before, nil
	}
	if s.mutate != nil && equality.Semantic.DeepEqual(before, s.mutate(after)) {
		s.mutatedAt = s.w.now
		if by != nil {
			s.w.judge.undone(s.w.judge.object(by.name))
		}
		return before, nil // all that was new has been taken off again
	}
	after.ResourceVersion = s.nextVersion()
	s.setSecret(by, name, after)
	return cmp.Or(s.secrets[name], after), nil
}

// merged is a merge patch (RFC 7396) of a map of plain values: nil takes a key away.
func merged[V any](m map[string]V, patch map[string]*V) map[string]V {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]V{}
	}
	for key, value := range patch {
		if value == nil {
			delete(out, key)
		} else {
			out[key] = *value
		}
	}
	return out
}

func (s *apiServer) deleteSecret(by *pass, name types.NamespacedName, only *metav1.Preconditions) (err error) {
	defer s.history.asked(s, apiRequest{verb: remove, name: name, only: only}, &err)()
	secret := s.secrets[name]
	if secret == nil {
		return apierrors.NewNotFound(secretResource, name.Name)
	}
	if only != nil && (only.UID != nil && *only.UID != secret.UID || only.ResourceVersion != nil && *only.ResourceVersion != secret.ResourceVersion) {
		return apierrors.NewConflict(secretResource, name.Name, fmt.Errorf("it is another version"))
	}
	if len(secret.Finalizers) == 0 {
		s.setSecret(by, name, nil)
	} else if secret.DeletionTimestamp == nil {
		marked := secret.DeepCopy()
		s.markDeleted(&marked.ObjectMeta)
		s.setSecret(by, name, marked)
	}
	return nil
}

// noStatus is the schema's default.
var noStatus = v1alpha1.CDPCredentialStatus{ObservedGeneration: -1}

func (s *apiServer) createCredential(name types.NamespacedName, obj *v1alpha1.CDPCredential) {
	stored := obj.DeepCopy()
	s.meta(&stored.ObjectMeta, name)
	stored.Generation = 1
	stored.Status = noStatus
	s.setCredential(nil, name, stored)
}

func (s *apiServer) editCredential(name types.NamespacedName, edit func(*v1alpha1.CDPCredential)) {
	before := s.credentials[name]
	after := before.DeepCopy()
	edit(after)
	if equality.Semantic.DeepEqual(after.Status, v1alpha1.CDPCredentialStatus{}) {
		after.Status = noStatus
	}
	if equality.Semantic.DeepEqual(before, after) {
		return
	}
	if !equality.Semantic.DeepEqual(before.Spec, after.Spec) {
		after.Generation++
	}
	after.ResourceVersion = s.nextVersion()
	s.setCredential(nil, name, after)
}

func (s *apiServer) deleteCredential(name types.NamespacedName) {
	if obj := s.credentials[name]; len(obj.Finalizers) == 0 {
		s.setCredential(nil, name, nil)
	} else if obj.DeletionTimestamp == nil {
		marked := obj.DeepCopy()
		s.markDeleted(&marked.ObjectMeta)
		s.setCredential(nil, name, marked)
	}
}

// collectOrphans has the garbage collector look at what an object that is gone may have owned.
func (s *apiServer) collectOrphans(name types.NamespacedName) {
	for _, of := range slices.SortedFunc(maps.Keys(s.secrets), byName) {
		if of.Namespace == name.Namespace && s.orphaned(s.secrets[of]) {
			s.w.after(s.w.between(time.Second, 20*time.Second), func() { s.collect(of) })
		}
	}
}

func byName(a, b types.NamespacedName) int {
	return bytes.Compare([]byte(a.String()), []byte(b.String()))
}
