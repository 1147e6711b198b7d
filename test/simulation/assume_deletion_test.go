// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// deletionAssumptions concern deletion.
var deletionAssumptions = []*assumption{
	{name: "api-finalizer", holds: "a deleted object is gone at once", episode: finalizerKeeps},
	{name: "api-namespace-ends", holds: "no namespace is deleted", episode: namespaceEnds},
}

// finalizerKeeps deletes an object that has another controller's finalizer, and removes the finalizer later. Until then the operator must serve it as
// before.
func finalizerKeeps(w *world, about time.Duration) string {
	o := pick(w, w.judge.objects)
	was := o.get()
	if was == nil || was.DeletionTimestamp != nil {
		return ""
	}
	w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) { obj.Finalizers = []string{"example.com/keep"} })
	w.api.deleteCredential(o.name)
	w.judge.userActed()
	d := w.about(3 * about)
	w.after(d, func() { o.letGo(was.UID) })
	w.after(d+pick(w, []time.Duration{time.Second, 30 * time.Second}), func() { o.applyAgain(was) })
	return fmt.Sprintf("%s, for %s", o.name.Name, d)
}

// letGo removes the finalizer.
func (o *object) letGo(uid types.UID) {
	if obj := o.get(); obj != nil && obj.UID == uid && len(obj.Finalizers) > 0 {
		o.w.tell("the finalizer of %s is removed", o.name.Name)
		o.w.judge.userActed()
		o.w.api.editCredential(o.name, func(obj *v1alpha1.CDPCredential) { obj.Finalizers = nil })
	}
}

// applyAgain applies a deleted object again, unless it exists or its namespace is being deleted.
func (o *object) applyAgain(was *v1alpha1.CDPCredential) {
	if o.get() != nil || o.w.api.ending[o.name.Namespace] {
		return
	}
	o.w.tell("user applies %s again", o.name.Name)
	o.w.judge.userActed()
	again := &v1alpha1.CDPCredential{Spec: was.Spec}
	again.Annotations = was.Annotations
	o.w.api.createCredential(o.name, again)
}

// namespaceEnds deletes a namespace: nothing can be created in it any more, and its content goes one by one, in random order. Later it is created
// again, and users apply its content again.
func namespaceEnds(w *world, _ time.Duration) string {
	name := pick(w, w.judge.objects).name.Namespace
	if w.api.ending[name] {
		return ""
	}
	w.api.endNamespace(name)
	w.judge.userActed()
	gone := 10 * time.Second
	for _, secret := range slices.SortedFunc(maps.Keys(w.api.secrets), byName) {
		if secret.Namespace == name {
			w.unlessCalm(w.between(0, gone), func() { w.api.setSecret(nil, secret, nil) })
		}
	}
	var again []func()
	for _, o := range w.judge.objects {
		was := o.get()
		if was == nil || o.name.Namespace != name {
			continue
		}
		w.unlessCalm(w.between(0, gone), func() {
			if o.get() != nil {
				w.api.setCredential(nil, o.name, nil)
			}
		})
		again = append(again, func() {
			o.putClientSecret(was.Spec.ClientSecretRef.Name)
			o.applyAgain(was)
		})
	}
	w.unlessCalm(gone+w.between(25*time.Second, time.Minute), func() {
		w.tell("namespace %s is created again", name)
		w.judge.userActed()
		w.api.remakeNamespace(name)
		for _, apply := range slices.Backward(again) {
			apply()
		}
	})
	return name
}

// reviveNamespace creates a namespace again that is being deleted. Kubernetes allows that only once all its content is gone, so the rest is deleted
// first. Users apply their objects again, which get new UIDs.
func (w *world) reviveNamespace(name string) {
	if !w.api.ending[name] {
		return
	}
	var again []func()
	for _, o := range w.judge.objects {
		if was := o.get(); was != nil && o.name.Namespace == name {
			w.api.setCredential(nil, o.name, nil)
			again = append(again, func() {
				o.putClientSecret(was.Spec.ClientSecretRef.Name)
				o.applyAgain(was)
			})
		}
	}
	for _, secret := range slices.SortedFunc(maps.Keys(w.api.secrets), byName) {
		if secret.Namespace == name {
			w.api.setSecret(nil, secret, nil)
		}
	}
	w.tell("namespace %s is created again", name)
	w.api.remakeNamespace(name)
	for _, apply := range again {
		apply()
	}
}

// unlessCalm does something later, unless all faults have been ended by then.
func (w *world) unlessCalm(d time.Duration, do func()) {
	w.after(d, func() {
		if !w.calmed {
			do()
		}
	})
}
