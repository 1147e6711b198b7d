// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
)

func TestOwnWriteIsRecognisedOnce(t *testing.T) {
	t.Parallel()
	etl, web := types.NamespacedName{Namespace: "marketing", Name: "etl"}, types.NamespacedName{Namespace: "marketing", Name: "web"}
	var w OwnWrites
	if w.Recognise(etl, "t/9") {
		t.Error("nothing was written")
	}
	w.Wrote(etl, "t/8")
	w.Wrote(etl, "t/9")
	for _, step := range []struct {
		object  types.NamespacedName
		version string
		want    bool
	}{{web, "t/9", false}, {etl, "t/8", false}, {etl, "t/9", true}, {etl, "t/9", false}} {
		if got := w.Recognise(step.object, step.version); got != step.want {
			t.Errorf("%s %s: got %t", step.object, step.version, got)
		}
	}
	w.Wrote(etl, "t/10")
	if w.Forget(etl); w.Recognise(etl, "t/10") {
		t.Error("it was not forgotten")
	}
}

func TestNoOwnWritesRecogniseNothing(t *testing.T) {
	t.Parallel()
	var none *OwnWrites
	none.Wrote(types.NamespacedName{Name: "etl"}, "t/9")
	none.Forget(types.NamespacedName{Name: "etl"})
	if none.Recognise(types.NamespacedName{Name: "etl"}, "t/9") {
		t.Error("it was recognised")
	}
}
