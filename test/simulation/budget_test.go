// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"testing"
	"time"
)

// TestFailedAttemptsAreNotCounted: issued tokens count against the daily budget, failed attempts do not.
func TestFailedAttemptsAreNotCounted(t *testing.T) {
	w, o := plainWorld(newWiring(t), func(line string) { t.Log(line) })
	if broken := w.watched(func() {
		w.startReplica(0)
		o.apply("oauth2")
		w.runFor(time.Minute)
		asked := w.judge.stats.exchanges
		w.vendors.hosts[oauthHost].trouble = serverError
		refresh(o, "now")
		w.runFor(10 * time.Minute)
		if failed := w.judge.stats.exchanges - asked; failed < 2 {
			t.Errorf("only %d attempts failed", failed)
		}
		if i := o.get().Status.Issuance; i == nil || i.Count != 1 {
			t.Errorf("status.issuance is %+v, want a count of 1", i)
		}
	}); broken != nil {
		t.Error(broken)
	}
}
