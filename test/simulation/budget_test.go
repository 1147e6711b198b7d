// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"testing"
	"time"
)

// TestFailedAttemptsAreNotCounted: what spends the budget of the day is a token that was issued, not an attempt at one.
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
			t.Errorf("counted are %+v, not the one token", i)
		}
	}); broken != nil {
		t.Error(broken)
	}
}
