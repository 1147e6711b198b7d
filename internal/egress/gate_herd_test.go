package egress

import (
	"fmt"
	"testing"
	"time"
)

// What comes because something has changed leaves a tenth of the rate to what comes because its time has come, and nobody is kept from using
// all of it alone.
func TestHerdLeavesRoom(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		unplanned bool
		least     int // calls in 100 s at 20/s
		most      int
	}{
		{"a herd", true, 1790, 1821},
		{"renewals", false, 1990, 2021},
	} {
		s := simulate(t, Limits{NamespaceInFlight: 1000}, 1)
		for i := range 4000 {
			o := &object{Ask: Ask{Endpoint: host, Namespace: "ns", Object: fmt.Sprintf("ns/o%05d", i), Since: start, Unplanned: tc.unplanned}}
			s.after(0, func() { s.ask(o) })
		}
		s.run(100 * time.Second)
		if calls := len(s.calls[host]); calls < tc.least || calls > tc.most {
			t.Errorf("%s: %d calls in 100 s, want %d to %d", tc.name, calls, tc.least, tc.most)
		}
	}
}
