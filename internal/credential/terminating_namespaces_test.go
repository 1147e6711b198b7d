// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"
)

// TestOneObjectAsksForAllOfANamespace: of all objects of a namespace one asks, the others wait for what it learns, and that is good for a while.
func TestOneObjectAsksForAllOfANamespace(t *testing.T) {
	t.Parallel()
	var e TerminatingNamespaces
	now := at("11:00:00")
	check := func(when, namespace string, ends, ask bool, wait time.Duration) {
		t.Helper()
		if gotEnds, gotAsk, gotWait := e.Recall(namespace, now); gotEnds != ends || gotAsk != ask || gotWait != wait {
			t.Errorf("%s: ends %t, ask %t, wait %s", when, gotEnds, gotAsk, gotWait)
		}
	}
	check("the first", "a", false, true, 0)
	check("the second", "a", false, false, 100*time.Millisecond)
	check("another namespace", "b", false, true, 0)
	e.Learn("a", now, true)
	e.Learn("b", now, false)
	now = now.Add(19 * time.Second)
	check("later", "a", true, false, 0)
	check("later, another namespace", "b", false, false, 0)
	now = now.Add(time.Second)
	check("once it is old", "a", false, true, 0)
	now = now.Add(10 * time.Second)
	check("when nobody has come back", "a", false, true, 0)
	if len(e.Of) != 1 {
		t.Errorf("%d namespaces are remembered", len(e.Of))
	}
}
