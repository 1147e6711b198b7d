// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	product "github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// punctuality records how late each renewal is sent.
type punctuality struct {
	*vendors
	late   []time.Duration
	second map[time.Duration]int // the number of renewals sent in each
}

// For implements controllers.Transports.
func (p *punctuality) For(string, []byte) (http.RoundTripper, error) { return p, nil }

// RoundTrip implements http.RoundTripper.
func (p *punctuality) RoundTrip(req *http.Request) (*http.Response, error) {
	w, pass := p.w, p.w.running
	if rec := w.judge.record(w.judge.object(pass.name).target()); rec != nil {
		due := product.Life{IssuedAt: rec.IssuedAt, ExpiresAt: rec.ExpiresAt}.RenewAt(0, string(pass.object.UID))
		p.late = append(p.late, pass.replica.local().Sub(due))
		p.second[w.now/time.Second]++
	}
	return p.vendors.RoundTrip(req)
}

// TestHerd creates ten thousand objects at once, with tokens of a quarter of an hour, at one endpoint behind a gate with default limits. The limits
// leave almost no room to spare; the renewals are on time because first tokens leave some of it.
func TestHerd(t *testing.T) {
	const size = 10_000
	w, _ := plainWorld(newWiring(t), nil)
	p := &punctuality{vendors: w.vendors, second: map[time.Duration]int{}}
	w.workers = 32
	w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
	broken := w.watched(func() {
		w.judge.objects = nil
		for i := range size {
			o := &object{w: w, name: types.NamespacedName{Namespace: fmt.Sprintf("team-%03d", i%500), Name: fmt.Sprintf("credential-%05d", i)}}
			w.judge.objects = append(w.judge.objects, o)
			o.apply("oauth2")
		}
		w.startReplica(0).reconciler.Transports = p
		w.runFor(21 * time.Minute)
	})
	if broken != nil {
		t.Error(broken)
	}
	slices.Sort(p.late)
	n := len(p.late)
	if n < size {
		t.Fatalf("%d renewals", n)
	}
	busiest, seconds := slices.Max(slices.Collect(maps.Values(p.second))), slices.Sorted(maps.Keys(p.second))
	mean := float64(n) / float64(seconds[len(seconds)-1]-seconds[0]+1)
	t.Logf("%d renewals, late by %s (median), %s (99th percentile), %s (maximum), %d in the busiest second, %.1f on average", n, p.late[n/2], p.late[n*99/100], p.late[n-1], busiest, mean)
	if p.late[n*99/100] >= 2*time.Second || float64(busiest) > 3*mean {
		t.Error("want less than 2 s for the 99th percentile, and at most 3 times the average in the busiest second")
	}
}
