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

// An apiServer stores CDPCredentials and Secrets as the real one does: stored objects are replaced and never modified, every change has its own
// version, and a no-op write creates none. It answers immediately; clients and watches add the latency.
type apiServer struct {
	w           *world
	credentials map[types.NamespacedName]*v1alpha1.CDPCredential
	secrets     map[types.NamespacedName]*corev1.Secret
	// changes are all changes, in order: the one at index i has the version firstVersion+skipped+i.
	changes []change
	uids    int
	// skipped is a gap in the versions, between firstVersion and the first change.
	skipped int
	// mutate is what a mutating webhook does to a Secret that the operator writes. Nil: there is none.
	mutate    func(*corev1.Secret) *corev1.Secret
	mutatedAt time.Duration
	// ending are the namespaces that are being deleted: nothing can be created in them.
	ending map[string]bool
	// remadeAt is when a deleted namespace was created again.
	remadeAt map[string]time.Duration
	// history, if not nil, records everything, to be compared with the real API server.
	history *history

	trimMetadata, trimCredential cache.TransformFunc
}

const firstVersion = 1000

// A change is a watch event: the object after the cache's transforms, or nil if it was deleted.
type change struct {
	at         time.Duration
	name       types.NamespacedName
	ofSecret   bool
	credential *v1alpha1.CDPCredential
	metadata   *metav1.PartialObjectMetadata
	// by is the reconcile that made the change, deposed whether its replica had been deposed. Nil: a user or the garbage collector.
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
	w.wires.history = nil // of one world only: seeds run another one at the end
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

// setSecret stores a Secret, or deletes it if it is nil, and notifies the watches.
func (s *apiServer) setSecret(by *pass, name types.NamespacedName, secret *corev1.Secret) {
	before, wanted := s.secrets[name], secret
	if before == nil && secret == nil {
		return
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

// finalized reports whether an object is marked as deleted and has no finalizers left.
func finalized(o *metav1.ObjectMeta) bool {
	return o.DeletionTimestamp != nil && len(o.Finalizers) == 0
}

// markDeleted does what a delete does to an object with finalizers. Where the kind has generations, it counts as one.
func (s *apiServer) markDeleted(o *metav1.ObjectMeta) {
	o.DeletionTimestamp, o.DeletionGracePeriodSeconds = new(metav1.NewTime(s.w.clock().Truncate(time.Second))), new(int64(0))
	o.ResourceVersion = s.nextVersion()
	if o.Generation > 0 {
		o.Generation++
	}
}

// orphaned reports whether all owners of a Secret are gone. Owners other than CDPCredentials are assumed to exist.
func (s *apiServer) orphaned(secret *corev1.Secret) bool {
	for _, ref := range secret.OwnerReferences {
		if owner := s.credentials[types.NamespacedName{Namespace: secret.Namespace, Name: ref.Name}]; ref.Kind != "CDPCredential" || owner != nil && owner.UID == ref.UID {
			return false
		}
	}
	return len(secret.OwnerReferences) > 0
}

// collect is the garbage collector: it checks again before it deletes.
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

// endNamespace begins the deletion of a namespace. The caller deletes its content.
func (s *apiServer) endNamespace(name string) {
	s.ending[name] = true
	s.history.ended(name)
}

// remakeNamespace creates a deleted namespace again.
func (s *apiServer) remakeNamespace(name string) {
	if s.ending[name] {
		delete(s.ending, name)
		s.remadeAt[name] = s.w.now
		s.history.remade(s, name)
	}
}

// namespaceEnding is the refusal of a create in a namespace that is being deleted.
func namespaceEnding(name types.NamespacedName) error {
	err := apierrors.NewForbidden(secretResource, name.Name, fmt.Errorf("namespace %s is being terminated", name.Namespace))
	err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: corev1.NamespaceTerminatingCause, Field: "metadata.namespace"})
	return err
}

// tryCreate is a dry-run create.
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

// editSecret changes an existing Secret as a user does, unless the API server would refuse it.
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

// A secretPatch has the fields that a merge patch of a Secret may contain.
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

// tryPatch is a dry-run patch.
func (s *apiServer) tryPatch(name types.NamespacedName, body []byte) (err error) {
	defer s.history.asked(s, apiRequest{verb: dryPatch, name: name, body: body}, &err)()
	_, _, err = s.patched(name, body)
	return err
}

// patched returns a Secret before and after a patch.
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
		return nil, nil, apierrors.NewConflict(secretResource, name.Name, fmt.Errorf("the resourceVersion is another one"))
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
		return before, nil // the webhook undid the whole patch
	}
	after.ResourceVersion = s.nextVersion()
	s.setSecret(by, name, after)
	return cmp.Or(s.secrets[name], after), nil
}

// merged applies a JSON merge patch (RFC 7396) to a map of plain values: nil removes a key.
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
		return apierrors.NewConflict(secretResource, name.Name, fmt.Errorf("UID or resourceVersion is another one"))
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

// noStatus is the default of the CRD's schema.
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

// collectOrphans lets the garbage collector look at what a deleted object may have owned.
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
