// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A history is what happened at the simulated API server, in order: the real one is to give the same answers (TestHistories).
type history struct {
	all []happening
	// closed says that what happens from now on is not kept.
	closed bool
	// asking says that a request is being answered: what changes meanwhile is its doing.
	asking bool
}

// A verb is what a request does. The zero verb is none: somebody else has made of the object what it is afterwards.
type verb string

const (
	create       verb = "create"
	patch        verb = "patch"
	dryCreate    verb = "dry-run create"
	dryPatch     verb = "dry-run patch"
	patchStatus  verb = "patch status"
	remove       verb = "delete"
	endNamespace verb = "end namespace"
	newNamespace verb = "new namespace"
)

// An apiRequest has the UIDs and versions of the simulated API server.
type apiRequest struct {
	verb   verb
	name   types.NamespacedName
	secret *corev1.Secret // to be created
	body   []byte         // of a patch
	only   *metav1.Preconditions
}

// A happening is a request with its answer, and with the object as it is afterwards: nil if there is none.
type happening struct {
	apiRequest
	err        error
	ofSecret   bool
	secret     *corev1.Secret
	credential *v1alpha1.CDPCredential
}

// asked begins a request. What it returns ends it.
func (h *history) asked(s *apiServer, r apiRequest, err *error) (answered func()) {
	if h == nil {
		return func() {}
	}
	h.asking = true
	ofSecret := r.verb != patchStatus
	r.secret = r.secret.DeepCopy() // the caller gets the answer in it
	return func() {
		h.asking = false
		e := happening{apiRequest: r, err: *err, ofSecret: ofSecret}
		if s.mutate != nil { // the real API server has no such webhook: what it made of the object is somebody's change there
			e.apiRequest, e.err = apiRequest{name: r.name}, nil
		}
		h.keep(s, e)
	}
}

// changed is told of every change.
func (h *history) changed(s *apiServer, name types.NamespacedName, ofSecret bool) {
	if h != nil && !h.asking {
		h.keep(s, happening{apiRequest: apiRequest{name: name}, ofSecret: ofSecret})
	}
}

func (h *history) ended(namespace string) { h.ofNamespace(endNamespace, namespace) }

// remade closes the history if something was left in the namespace, which the real API server would not allow.
func (h *history) remade(s *apiServer, namespace string) {
	if h == nil {
		return
	}
	for name := range s.secrets {
		h.closed = h.closed || name.Namespace == namespace
	}
	for name := range s.credentials {
		h.closed = h.closed || name.Namespace == namespace
	}
	h.ofNamespace(newNamespace, namespace)
}

func (h *history) ofNamespace(what verb, namespace string) {
	if h != nil && !h.closed {
		h.all = append(h.all, happening{apiRequest: apiRequest{verb: what, name: types.NamespacedName{Namespace: namespace}}})
	}
}

func (h *history) keep(s *apiServer, e happening) {
	if h.closed {
		return
	}
	// What is stored is replaced and never changed: there is no need to copy it.
	if e.ofSecret {
		e.secret = s.secrets[e.name]
	} else {
		e.credential = s.credentials[e.name]
	}
	h.all = append(h.all, e)
}
