// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A history is what happened at the simulated API server, in order. The real one must give the same answers (TestHistories).
type history struct {
	all []happening
	// closed is set once nothing is recorded any more.
	closed bool
	// asking is set while a request is being handled: changes meanwhile are its effect.
	asking bool
}

// A verb is that of an API request. Empty: not a request of the operator, but a change by somebody else, recorded as the resulting object.
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

// An apiRequest uses the UIDs and versions of the simulated API server.
type apiRequest struct {
	verb   verb
	name   types.NamespacedName
	secret *corev1.Secret // to create
	body   []byte         // of a patch
	only   *metav1.Preconditions
}

// A happening is a request with its answer and the object after it. Nil: the object does not exist.
type happening struct {
	apiRequest
	err        error
	ofSecret   bool
	secret     *corev1.Secret
	credential *v1alpha1.CDPCredential
}

// asked begins a request; the returned function ends it.
func (h *history) asked(s *apiServer, r apiRequest, err *error) (answered func()) {
	if h == nil {
		return func() {}
	}
	h.asking = true
	ofSecret := r.verb != patchStatus
	r.secret = r.secret.DeepCopy() // the caller receives the response in it
	return func() {
		h.asking = false
		e := happening{apiRequest: r, err: *err, ofSecret: ofSecret}
		if s.mutate != nil { // the real API server has no such webhook, so there its effect is repeated as somebody else's change
			e.apiRequest, e.err = apiRequest{name: r.name}, nil
		}
		h.keep(s, e)
	}
}

// changed is called for every change.
func (h *history) changed(s *apiServer, name types.NamespacedName, ofSecret bool) {
	if h != nil && !h.asking {
		h.keep(s, happening{apiRequest: apiRequest{name: name}, ofSecret: ofSecret})
	}
}

func (h *history) ended(namespace string) { h.ofNamespace(endNamespace, namespace) }

// remade closes the history if something was left in the namespace, which a real API server does not allow.
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
	// Stored objects are replaced and never modified, so there is no need to copy them.
	if e.ofSecret {
		e.secret = s.secrets[e.name]
	} else {
		e.credential = s.credentials[e.name]
	}
	h.all = append(h.all, e)
}
