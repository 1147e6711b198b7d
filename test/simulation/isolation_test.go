// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// A neighbourhood is many objects of one vendor, some of them bad: the vendor mistreats only their clients. The good ones must not notice.
type neighbourhood struct {
	*vendors
	good, bad []*object
	// asked and askedBad count the calls of good and bad objects in each second; least is the shortest remaining lifetime of a good token when its
	// successor was requested.
	asked, askedBad map[time.Duration]int
	least           time.Duration
}

// For implements controllers.Transports.
func (n *neighbourhood) For(string, []byte) (http.RoundTripper, error) { return n, nil }

// RoundTrip implements http.RoundTripper.
func (n *neighbourhood) RoundTrip(req *http.Request) (*http.Response, error) {
	w, p := n.w, n.w.running
	if p.name.Namespace[0] == 'b' {
		n.askedBad[w.now/time.Second]++
	} else {
		n.asked[w.now/time.Second]++
		if rec := w.judge.record(w.judge.object(p.name).target()); rec != nil {
			n.least = min(n.least, rec.expires-w.now)
		}
	}
	return n.vendors.RoundTrip(req)
}

// treat lets the vendor treat the bad clients like this from now on.
func (n *neighbourhood) treat(how trouble) {
	for _, o := range n.bad {
		n.hosts[oauthHost].troubled[o.clientID("a")] = how
		n.w.judge.obstruct(o, 24*time.Hour)
	}
	n.w.judge.disturb(n.hosts[oauthHost], 24*time.Hour) // the others may be late, but none of their tokens may expire
}

// since counts the calls since then.
func (n *neighbourhood) since(from time.Duration) (calls int) {
	for _, of := range []map[time.Duration]int{n.asked, n.askedBad} {
		for second, count := range of {
			if second >= from/time.Second {
				calls += count
			}
		}
	}
	return calls
}

// refreshBad lets each bad object request a refresh, again and again.
func (n *neighbourhood) refreshBad(every time.Duration) {
	for i, o := range n.bad {
		refresh(o, fmt.Sprint(n.w.now, i))
	}
	n.w.after(every, func() { n.refreshBad(every) })
}

// add applies more good objects.
func (n *neighbourhood) add(size int) {
	for range size {
		i := len(n.good)
		o := &object{w: n.w, name: types.NamespacedName{Namespace: fmt.Sprintf("good-%02d", i%20), Name: fmt.Sprintf("obj-%05d", i)}}
		n.good = append(n.good, o)
		n.w.judge.objects = append(n.w.judge.objects, o)
		o.apply("oauth2")
	}
}

// tokens counts the good objects with a valid token.
func (n *neighbourhood) tokens() (alive int) {
	for _, o := range n.good {
		if rec := n.w.judge.record(o.target()); rec != nil && rec.good(n.w.now) {
			alive++
		}
	}
	return alive
}

// isolation are scenarios from an adversarial review: the number of good and bad objects, what happens, and what must hold in addition to what the
// judge checks all the time, above all that no good object ever has an expired token.
var isolation = []struct {
	name                     string
	good, bad, badNamespaces int
	do                       func(n *neighbourhood) string
}{
	{"1 of 300 is throttled, Retry-After of minutes", 300, 1, 1, alwaysTreated(throttlingRetryAfter)},
	{"100 of 400 are throttled, Retry-After of minutes", 300, 100, 10, alwaysTreated(throttlingRetryAfter)},
	{"100 of 400 are throttled, without a Retry-After", 300, 100, 10, alwaysTreated(throttling)},
	{"20 of 320 get 5xx", 300, 20, 1, alwaysTreated(serverError)},
	{"100 of 400 get 5xx", 300, 100, 10, alwaysTreated(serverError)},
	{"20 of 320 get no answer", 300, 20, 1, alwaysTreated(hanging)},
	{"100 of 400 get no answer", 300, 100, 10, alwaysTreated(hanging)},
	{"100 of 200 are reset", 100, 100, 100, alwaysTreated(resetting)},
	{"two bad clients are throttled at once", 50, 2, 2, func(n *neighbourhood) string {
		n.treat(throttlingRetryAfter)
		n.w.runFor(40 * time.Minute)
		return ""
	}},
	{"two 429s half an hour apart", 20, 2, 2, func(n *neighbourhood) string {
		for _, o := range n.bad {
			client := o.clientID("a")
			n.w.judge.obstruct(o, time.Hour)
			n.hosts[oauthHost].troubled[client] = throttlingRetryAfter
			n.w.runFor(15 * time.Minute)
			delete(n.hosts[oauthHost].troubled, client)
			n.w.runFor(15 * time.Minute)
		}
		return ""
	}},
	{"calls are in flight when throttling starts", 300, 0, 1, func(n *neighbourhood) string {
		for i, o := range n.good {
			refresh(o, fmt.Sprint(i))
		}
		n.w.runFor(2 * time.Second)
		n.hosts[oauthHost].trouble, n.hosts[oauthHost].retryAfter = throttlingRetryAfter, 120 // it asks for half of that
		n.w.runFor(time.Second)
		began := n.w.now
		n.w.runFor(58 * time.Second)
		calls := n.since(began + time.Second)
		n.hosts[oauthHost].trouble = fine
		n.w.runFor(20 * time.Minute)
		if calls > 3 {
			return fmt.Sprintf("in the minute of the Retry-After the endpoint was called %d times, want at most 3", calls)
		}
		return ""
	}},
	{"short tokens behind an open breaker", 100, 0, 1, func(n *neighbourhood) string {
		n.hosts[oauthHost].lifetime = 5 * time.Minute
		for i, o := range n.good {
			refresh(o, fmt.Sprint(i))
		}
		n.w.runFor(2*time.Minute + 20*time.Second) // renewals begin at 2 min
		n.hosts[oauthHost].trouble = serverError
		n.w.judge.hinder(time.Minute)
		n.w.runFor(time.Minute)
		n.hosts[oauthHost].trouble = fine
		n.w.runFor(20 * time.Minute)
		return ""
	}},
	{"one stray 503 before 6,000 new objects", 1, 0, 1, func(n *neighbourhood) string {
		n.hosts[oauthHost].lifetime = time.Hour
		n.hosts[oauthHost].stray = 503
		refresh(n.good[0], "now")
		n.w.runFor(time.Second)
		n.add(6000)
		n.w.runFor(6 * time.Minute) // 333 s at nine tenths of the rate
		if alive := n.tokens(); alive < 6001 {
			return fmt.Sprintf("after six minutes %d of 6001 have a valid token", alive)
		}
		return ""
	}},
	{"100 namespaces request refreshes forever", 100, 100, 100, func(n *neighbourhood) string {
		n.refreshBad(20 * time.Second)
		n.w.runFor(20 * time.Minute)
		return ""
	}},
}

func alwaysTreated(how trouble) func(n *neighbourhood) string {
	return func(n *neighbourhood) string {
		n.treat(how)
		n.w.runFor(time.Hour)
		return ""
	}
}

// TestIsolation runs the scenarios with tokens of a quarter of an hour. In findings A4 and A5 of the review, up to 296 of 300 tokens expired.
func TestIsolation(t *testing.T) {
	wires := newWiring(t)
	for _, story := range isolation {
		t.Run(story.name, func(t *testing.T) {
			w, _ := plainWorld(wires, nil)
			w.workers = 32
			w.vendors.hosts[oauthHost].lifetime = 15 * time.Minute
			n := &neighbourhood{vendors: w.vendors, asked: map[time.Duration]int{}, askedBad: map[time.Duration]int{}, least: time.Hour}
			broken := w.watched(func() {
				w.judge.objects = nil
				n.add(story.good)
				for i := range story.bad {
					o := &object{w: w, name: types.NamespacedName{Namespace: fmt.Sprintf("bad-%03d", i%story.badNamespaces), Name: fmt.Sprintf("bad-%05d", i)}}
					n.bad = append(n.bad, o)
					w.judge.objects = append(w.judge.objects, o)
					o.apply("oauth2")
				}
				w.startReplica(0).reconciler.Transports = n
				w.runFor(90 * time.Second)
				if alive := n.tokens(); alive < story.good {
					w.violated("story", "after a minute and a half %d of %d have a valid token", alive, story.good)
				}
				n.least = time.Hour
				if wrong := story.do(n); wrong != "" {
					w.violated("story", "%s", wrong)
				}
				if alive := n.tokens(); alive < len(n.good) {
					w.violated("story", "at the end %d of %d have a valid token", alive, len(n.good))
				}
			})
			if broken != nil {
				t.Error(broken)
			}
			t.Logf("good tokens had at least %s left when a new one was requested", n.least.Round(time.Second))
		})
	}
}
