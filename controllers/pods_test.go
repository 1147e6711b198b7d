// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/internal/podrefresh"
)

// heldResults are results that nobody has asked for yet.
type heldResults map[types.NamespacedName]podrefresh.Result

func (heldResults) Enqueue(podrefresh.Write) {}

func (h heldResults) Result(object types.NamespacedName) (podrefresh.Result, bool) {
	result, ok := h[object]
	delete(h, object)
	return result, ok
}

// TestDeletedObjectLeavesNoPodResult: the pods of an object's target may be told after the object has gone.
func TestDeletedObjectLeavesNoPodResult(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	results := heldResults{{Namespace: "marketing", Name: "etl"}: {Mounting: 1, Refreshed: 1}}
	l.r.Pods = results
	l.must(l.api.Delete(t.Context(), l.object()))
	_, err := l.reconcile("11:00:00")
	l.must(err)
	if len(results) != 0 {
		t.Errorf("it still has %v", results)
	}
}
