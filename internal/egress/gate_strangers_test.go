package egress

import (
	"fmt"
	"testing"
	"time"
)

// Servers that hang, however many there are, leave room to those that work.
func TestGateLeavesRoomToEndpointsThatAnswer(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 11, 17, 43, 0, time.UTC)
	gate := NewGate(Limits{StrangersInFlight: 24})
	ask := func(namespace, endpoint string, n int) (*Permit, *Wait) {
		return gate.Admit(now, Ask{Namespace: namespace, Endpoint: endpoint, Object: fmt.Sprintf("%s/%s-%d", namespace, endpoint, n), Since: now})
	}
	good, wait := ask("good", "works:443", 0)
	if good == nil {
		t.Fatalf("a first call waits: %+v", wait)
	}
	good.Done(now, Result{Kind: OK})

	hanging := map[string]int{}
	for _, namespace := range []string{"a", "b", "c", "d"} {
		for host := range 40 {
			if permit, wait := ask(namespace, fmt.Sprintf("hangs-%s-%d:443", namespace, host), 0); permit != nil {
				hanging[namespace]++
			} else if wait.Reason != "strangers-in-flight" || wait.For <= 0 {
				t.Fatalf("refused with %+v", wait)
			}
		}
	}
	if hanging["a"] != 8 || hanging["b"] != 8 || hanging["c"] != 8 || hanging["d"] != 0 {
		t.Errorf("calls to hanging servers: %v, want 8 a namespace and 24 in all", hanging)
	}
	for n := range 8 {
		if permit, wait := ask("good", "works:443", n); permit == nil && n < 4 {
			t.Errorf("call %d to the server that works waits: %+v", n, wait)
		}
	}
}
