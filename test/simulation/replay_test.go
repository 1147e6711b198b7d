// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A replay repeats a history at the real API server, in namespaces of its own, and compares every response.
type replay struct {
	ctx    context.Context
	admin  client.Client
	prefix string // of its namespaces' names
	// uids and versions map simulated UIDs and versions to real ones.
	uids     map[types.UID]types.UID
	versions map[string]string
	// simulated and actual are the last versions of each object; newest is the highest real one.
	simulated, actual map[objectKey]string
	newest            uint64
	// namespaces are the real names. A namespace that is created again gets another name: nothing empties the old one, so it never goes away.
	namespaces map[string]string
}

type objectKey struct {
	types.NamespacedName
	ofSecret bool
}

func newReplay(ctx context.Context, admin client.Client, prefix string) *replay {
	return &replay{
		ctx: ctx, admin: admin, prefix: prefix, uids: map[types.UID]types.UID{}, versions: map[string]string{},
		simulated: map[objectKey]string{}, actual: map[objectKey]string{}, namespaces: map[string]string{},
	}
}

// run returns the first disagreement.
func (r *replay) run(h *history) error {
	for i := range h.all {
		if err := r.step(&h.all[i]); err != nil {
			return fmt.Errorf("event %d, %s: %w", i, &h.all[i], err)
		}
	}
	return r.lists(h)
}

func (e *happening) String() string {
	kind := "CDPCredential"
	if e.ofSecret {
		kind = "Secret"
	}
	body := ""
	if e.body != nil {
		body = " with " + string(e.body)
	}
	return fmt.Sprintf("%s of %s %s%s", cmp.Or(string(e.verb), "a change"), kind, e.name, body)
}

func (r *replay) step(e *happening) error {
	if r.namespaces[e.name.Namespace] == "" || e.verb == newNamespace {
		if err := r.makeNamespace(e.name.Namespace); err != nil {
			return err
		}
	}
	switch e.verb {
	case endNamespace:
		return r.endNamespace(e.name.Namespace)
	case newNamespace:
		return nil
	}
	is := r.blank(e)
	err := r.do(e, is)
	if e.verb == "" && err != nil {
		return fmt.Errorf("the real API server refuses it: %w", err)
	}
	if got, want := verdictOf(err), verdictOf(e.err); got != want {
		return fmt.Errorf("the real API server says %s, the simulated one %s: %w", got, want, errors.Join(err, e.err))
	}
	// The response also has an object that loses its last finalizer.
	answered := err == nil && e.verb != remove && e.verb != dryCreate && e.verb != dryPatch && e.want() != nil
	there, err := r.look(is, answered)
	switch {
	case err != nil:
		return err
	case there != (e.want() != nil):
		return fmt.Errorf("afterwards it exists: really %t, simulated %t", there, e.want() != nil)
	case there:
		return r.compare(e, is)
	}
	key := objectKey{e.name, e.ofSecret}
	delete(r.simulated, key)
	delete(r.actual, key)
	return nil
}

// look reads an object, unless the response to a request already has it, and reports whether it exists.
func (r *replay) look(is client.Object, answered bool) (bool, error) {
	if answered {
		return true, nil
	}
	err := r.admin.Get(r.ctx, client.ObjectKeyFromObject(is), is)
	return err == nil, client.IgnoreNotFound(err)
}

// verdictOf returns the part of a response on which clients decide.
func verdictOf(err error) string {
	if err == nil {
		return "200"
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err.Error()
	}
	ending := ""
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		ending = ", namespace terminating"
	}
	return fmt.Sprintf("%d %s%s", status.Status().Code, status.Status().Reason, ending)
}

// want returns the object as it should be, nil if it should not exist.
func (e *happening) want() client.Object {
	switch {
	case e.secret != nil:
		return e.secret
	case e.credential != nil:
		return e.credential
	}
	return nil
}

func (r *replay) blank(e *happening) client.Object {
	var obj client.Object = &v1alpha1.CDPCredential{}
	if e.ofSecret {
		obj = &corev1.Secret{}
	}
	obj.SetNamespace(r.namespaces[e.name.Namespace])
	obj.SetName(e.name.Name)
	return obj
}

func (r *replay) makeNamespace(name string) error {
	made := &corev1.Namespace{}
	made.GenerateName = r.prefix + name + "-"
	err := r.admin.Create(r.ctx, made)
	r.namespaces[name] = made.Name
	return err
}

// endNamespace returns once the API server refuses creates in the namespace.
func (r *replay) endNamespace(name string) error {
	if err := r.admin.Delete(r.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.namespaces[name]}}); err != nil {
		return err
	}
	for {
		probe := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespaces[name], Name: "probe"}}
		err := r.admin.Create(r.ctx, probe, client.DryRunAll)
		if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
			return nil
		}
		select {
		case <-r.ctx.Done():
			return fmt.Errorf("creates in namespace %s are still allowed: %w", name, err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// do makes the request. into has the name of the object and receives the response.
func (r *replay) do(e *happening, into client.Object) error {
	switch e.verb {
	case dryCreate:
		return r.admin.Create(r.ctx, into, client.DryRunAll)
	case create:
		secret := into.(*corev1.Secret)
		e.secretInto(secret)
		secret.OwnerReferences = r.owners(e.apiRequest.secret.OwnerReferences)
		return r.admin.Create(r.ctx, secret)
	case patch, dryPatch, patchStatus:
		body, err := r.translated(e.body)
		if err != nil {
			return err
		}
		merge := client.RawPatch(types.MergePatchType, body)
		switch e.verb {
		case patch:
			return r.admin.Patch(r.ctx, into, merge)
		case dryPatch:
			return r.admin.Patch(r.ctx, into, merge, client.DryRunAll)
		}
		return r.admin.Status().Patch(r.ctx, into, client.RawPatch(types.JSONPatchType, body))
	case remove:
		var options []client.DeleteOption
		if e.only != nil {
			options = append(options, r.preconditions(*e.only))
		}
		return r.admin.Delete(r.ctx, into, options...)
	}
	return r.become(e, into)
}

// secretInto copies the Secret of a create request, except for its identity.
func (e *happening) secretInto(secret *corev1.Secret) {
	named := secret.ObjectMeta
	e.apiRequest.secret.DeepCopyInto(secret)
	secret.Namespace, secret.Name, secret.UID, secret.ResourceVersion = named.Namespace, named.Name, "", ""
}

// become brings an object into the state that a change in the simulation left it in: it creates, updates or deletes as needed.
func (r *replay) become(e *happening, into client.Object) error {
	want := e.want()
	err := r.admin.Get(r.ctx, client.ObjectKeyFromObject(into), into)
	missing := apierrors.IsNotFound(err)
	if err != nil && !missing {
		return err
	}
	switch {
	case want == nil && missing:
		return nil
	case want == nil && into.GetDeletionTimestamp() != nil: // somebody removed the last finalizer
		into.SetFinalizers(nil)
		return r.admin.Update(r.ctx, into)
	case want == nil:
		return r.admin.Delete(r.ctx, into)
	}
	into.SetLabels(want.GetLabels())
	into.SetAnnotations(want.GetAnnotations())
	into.SetFinalizers(want.GetFinalizers())
	into.SetOwnerReferences(r.owners(want.GetOwnerReferences()))
	if secret, ok := into.(*corev1.Secret); ok {
		secret.Type, secret.Data, secret.Immutable = e.secret.Type, e.secret.Data, e.secret.Immutable
	} else {
		into.(*v1alpha1.CDPCredential).Spec = *e.credential.Spec.DeepCopy()
	}
	if missing {
		err = r.admin.Create(r.ctx, into)
	} else {
		err = r.admin.Update(r.ctx, into)
	}
	if credential, ok := into.(*v1alpha1.CDPCredential); ok && err == nil && !equality.Semantic.DeepEqual(credential.Status, e.credential.Status) {
		credential.Status = *e.credential.Status.DeepCopy()
		err = r.admin.Status().Update(r.ctx, credential)
	}
	if err == nil && want.GetDeletionTimestamp() != nil && into.GetDeletionTimestamp() == nil {
		err = errors.Join(r.admin.Delete(r.ctx, into), r.admin.Get(r.ctx, client.ObjectKeyFromObject(into), into))
	}
	return err
}

// translated returns a patch with real UIDs and versions. Unknown ones stay as they are.
func (r *replay) translated(body []byte) ([]byte, error) {
	if bytes.HasPrefix(body, []byte("[")) {
		var operations []operation
		if err := json.Unmarshal(body, &operations); err != nil {
			return nil, err
		}
		for i := range operations {
			o := &operations[i]
			switch text := strings.Trim(string(o.Value), `"`); o.Path {
			case "/metadata/uid":
				o.Value = fmt.Appendf(nil, "%q", r.uid(types.UID(text)))
			case "/metadata/resourceVersion":
				o.Value = fmt.Appendf(nil, "%q", r.version(text))
			}
		}
		return json.Marshal(operations)
	}
	var p map[string]any
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, err
	}
	if m, ok := p["metadata"].(map[string]any); ok {
		if uid, ok := m["uid"].(string); ok {
			m["uid"] = string(r.uid(types.UID(uid)))
		}
		if version, ok := m["resourceVersion"].(string); ok {
			m["resourceVersion"] = r.version(version)
		}
		owners, _ := m["ownerReferences"].([]any)
		for _, owner := range owners {
			reference := owner.(map[string]any)
			reference["uid"] = string(r.uid(types.UID(reference["uid"].(string))))
		}
	}
	return json.Marshal(p)
}

func (r *replay) uid(simulated types.UID) types.UID { return cmp.Or(r.uids[simulated], simulated) }

func (r *replay) version(simulated string) string { return cmp.Or(r.versions[simulated], simulated) }

func (r *replay) owners(simulated []metav1.OwnerReference) []metav1.OwnerReference {
	out := append([]metav1.OwnerReference(nil), simulated...)
	for i := range out {
		out[i].UID = r.uid(out[i].UID)
	}
	return out
}

func (r *replay) preconditions(simulated metav1.Preconditions) client.Preconditions {
	var out client.Preconditions
	if simulated.UID != nil {
		out.UID = new(r.uid(*simulated.UID))
	}
	if simulated.ResourceVersion != nil {
		out.ResourceVersion = new(r.version(*simulated.ResourceVersion))
	}
	return out
}

// compare compares an object with the simulated one, and whether its version changed.
func (r *replay) compare(e *happening, is client.Object) error {
	want, key := e.want(), objectKey{e.name, e.ofSecret}
	version, err := strconv.ParseUint(is.GetResourceVersion(), 10, 64)
	if err != nil {
		return err
	}
	changed, should := is.GetResourceVersion() != r.actual[key], want.GetResourceVersion() != r.simulated[key]
	switch {
	case changed != should:
		return fmt.Errorf("its version changed: really %t, simulated %t", changed, should)
	case changed && version <= r.newest:
		return fmt.Errorf("its version %d is not newer than %d", version, r.newest)
	}
	r.newest = max(r.newest, version)
	r.uids[want.GetUID()], r.versions[want.GetResourceVersion()] = is.GetUID(), is.GetResourceVersion()
	r.simulated[key], r.actual[key] = want.GetResourceVersion(), is.GetResourceVersion()
	if diff := gocmp.Diff(r.essence(want, r.uid), r.essence(is, func(uid types.UID) types.UID { return uid }), cmpopts.EquateEmpty()); diff != "" {
		return fmt.Errorf("it differs from the simulated one (-simulated +real):\n%s", diff)
	}
	return nil
}

// essence returns what must agree of an object.
func (r *replay) essence(obj client.Object, uid func(types.UID) types.UID) map[string]any {
	out := map[string]any{
		"uid": uid(obj.GetUID()), "generation": obj.GetGeneration(), "labels": obj.GetLabels(), "annotations": obj.GetAnnotations(),
		"finalizers": obj.GetFinalizers(), "being deleted": obj.GetDeletionTimestamp() != nil,
	}
	var owners []metav1.OwnerReference
	for _, o := range obj.GetOwnerReferences() {
		o.UID = uid(o.UID)
		owners = append(owners, o)
	}
	out["owners"] = owners
	switch obj := obj.(type) {
	case *corev1.Secret:
		out["data"], out["type"], out["immutable"] = obj.Data, cmp.Or(obj.Type, corev1.SecretTypeOpaque), obj.Immutable
	case *v1alpha1.CDPCredential:
		out["spec"], out["status"] = asJSON(obj.Spec), asJSON(obj.Status)
	}
	return out
}

func asJSON(v any) (out any) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		panic(err)
	}
	return out
}

// lists compares what exists in each namespace in the end.
func (r *replay) lists(h *history) error {
	want := map[objectKey]string{}
	for _, e := range h.all {
		if key := (objectKey{e.name, e.ofSecret}); e.want() != nil {
			want[key] = r.actual[key]
		} else {
			delete(want, key)
		}
	}
	got := map[objectKey]string{}
	for namespace, name := range r.namespaces {
		for _, ofSecret := range []bool{true, false} {
			var list client.ObjectList = &v1alpha1.CDPCredentialList{}
			if ofSecret {
				list = &corev1.SecretList{}
			}
			if err := r.admin.List(r.ctx, list, client.InNamespace(name)); err != nil {
				return err
			}
			for _, obj := range itemsOf(list) {
				got[objectKey{types.NamespacedName{Namespace: namespace, Name: obj.GetName()}, ofSecret}] = obj.GetResourceVersion()
			}
		}
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		return fmt.Errorf("the objects in the end differ (-simulated +real):\n%s", diff)
	}
	return nil
}

func itemsOf(list client.ObjectList) (out []client.Object) {
	switch list := list.(type) {
	case *corev1.SecretList:
		for i := range list.Items {
			out = append(out, &list.Items[i])
		}
	case *v1alpha1.CDPCredentialList:
		for i := range list.Items {
			out = append(out, &list.Items[i])
		}
	}
	return out
}
