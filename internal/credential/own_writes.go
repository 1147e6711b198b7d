// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// OwnWrites are the versions of targets that this process has written, until the watch shows them. The reconcile that wrote one knows what is in it, so
// its event need not cause another. A version that somebody else writes is never among them. The zero value is ready to use; nil recognises nothing.
type OwnWrites struct {
	mu       sync.Mutex
	versions map[types.NamespacedName]string // by object
}

// Wrote remembers the version that an object's reconcile has written.
func (w *OwnWrites) Wrote(object types.NamespacedName, version string) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.versions == nil {
		w.versions = map[types.NamespacedName]string{}
	}
	w.versions[object] = version
}

// Recognise reports whether an object's reconcile has written this version. It does so once, for its event.
func (w *OwnWrites) Recognise(object types.NamespacedName, version string) bool {
	if w == nil {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	written, ok := w.versions[object]
	if !ok || written != version {
		return false
	}
	delete(w.versions, object)
	return true
}

// Forget drops what is remembered of an object that is gone.
func (w *OwnWrites) Forget(object types.NamespacedName) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.versions, object)
}
