// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"fmt"
	"testing"
	"time"
)

// A trouble is how a host treats its bad clients.
type trouble struct {
	name   string
	took   time.Duration
	result Result
}

var troubles = []trouble{
	{"429 Retry-After 60", 50 * time.Millisecond, Result{Kind: Throttled, RetryAfter: time.Minute, HasRetryAfter: true}},
	{"429 Retry-After 3600", 50 * time.Millisecond, Result{Kind: Throttled, RetryAfter: time.Hour, HasRetryAfter: true}},
	{"429 without Retry-After", 50 * time.Millisecond, Result{Kind: Throttled}},
	{"500", 50 * time.Millisecond, Result{Kind: Unavailable}},
	{"no answer", 15 * time.Second, Result{Kind: Unavailable}},
}

// A crowd is good and bad clients at one host.
type crowd struct {
	good, bad  int
	life, lead time.Duration
	trouble
	// gone says that the bad ones were good until now; else they never had a token.
	gone       bool
	namespaces int // over which each kind is spread
	// requests, if not 0, is how often someone requests a refresh of each bad one, instead of the contract's waits.
	requests time.Duration
}

// live lets them be for a while, and says how many tokens of good ones expired and the least that one had left.
func (c crowd) live(t testing.TB, seed uint64, span time.Duration) (expired int, least time.Duration) {
	s := simulate(t, Limits{}, seed)
	s.call = func(o *object) (time.Duration, Result) {
		if o.bad {
			return c.took, c.result
		}
		return 50 * time.Millisecond, Result{Kind: Served}
	}
	s.finished = s.lived
	if c.requests > 0 {
		s.finished = func(o *object, r Result) {
			if !o.bad {
				s.lived(o, r)
				return
			}
			s.failedOnce(o)
			s.after(c.requests, func() { s.ask(o) }) // what is requested is not planned
		}
	}
	var good []*object
	for i := range c.good + c.bad {
		o := newObject(fmt.Sprintf("good-%d", i%c.namespaces), i)
		o.life, o.lead = c.life, c.lead
		if i >= c.good {
			o = newObject(fmt.Sprintf("bad-%d", i%c.namespaces), i)
			o.life, o.lead, o.bad = c.life, c.lead, true
		} else {
			good = append(good, o)
		}
		if !o.bad || c.gone {
			o.Expires = start.Add(o.lead + s.jitter(o.life-o.lead))
			o.Proven = true
		}
		switch {
		case o.bad && c.requests > 0:
			o.Requested = true
			s.after(s.jitter(c.requests), func() { s.ask(o) })
		case o.bad && !c.gone:
			s.after(s.jitter(time.Minute), func() { s.lives(o) })
		default:
			s.lives(o)
		}
	}
	s.run(span)
	least = c.life
	for _, o := range good {
		expired += o.expired
		if s.now.After(o.Expires) && o.expired == 0 {
			expired++
		}
		least = min(least, o.least, max(o.Expires.Sub(s.now), 0))
	}
	return expired, least
}

// TestNoOtherClientExpiresAToken is finding A4's table: whatever the bad clients of a host get, the others' tokens live.
func TestNoOtherClientExpiresAToken(t *testing.T) {
	t.Parallel()
	for _, trouble := range troubles {
		for _, bad := range []int{1, 2, 5, 20, 100} {
			for _, life := range []time.Duration{15 * time.Minute, time.Hour} {
				for _, gone := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%d bad/%s/gone bad %v", trouble.name, bad, life, gone), func(t *testing.T) {
						t.Parallel()
						c := crowd{good: 300, bad: bad, life: life, lead: life / 4, trouble: trouble, gone: gone, namespaces: 20}
						expired, least := c.live(t, 1, 2*life)
						t.Logf("%d of 300 expired, least left %s of %s", expired, least.Round(time.Second), c.lead)
						if expired > 0 {
							t.Errorf("%d of 300 healthy tokens expired", expired)
						}
					})
				}
			}
		}
	}
}

// As many bad clients as good ones, and leads of 90 s.
func TestAsManyBadClientsAsGoodOnes(t *testing.T) {
	t.Parallel()
	for _, trouble := range troubles {
		for _, size := range []int{10, 100, 500} {
			for _, lead := range []time.Duration{90 * time.Second, 225 * time.Second} {
				for _, gone := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%d and %d/lead %s/gone bad %v", trouble.name, size, size, lead, gone), func(t *testing.T) {
						t.Parallel()
						c := crowd{good: size, bad: size, life: 15 * time.Minute, lead: lead, trouble: trouble, gone: gone, namespaces: 20}
						expired, least := c.live(t, 1, 40*time.Minute)
						t.Logf("%d of %d expired, least left %s of %s", expired, size, least.Round(time.Second), c.lead)
						if expired > 0 {
							t.Errorf("%d of %d healthy tokens expired", expired, size)
						}
					})
				}
			}
		}
	}
}

// Bad clients whose refresh someone requests every two minutes for ever, each in a namespace of its own or several in one.
func TestRequestsForBadClientsExpireNoToken(t *testing.T) {
	t.Parallel()
	for _, trouble := range troubles[:4] {
		for _, namespaces := range []int{20, 250} {
			for _, gone := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%d namespaces/gone bad %v", trouble.name, namespaces, gone), func(t *testing.T) {
					t.Parallel()
					c := crowd{good: 250, bad: 250, life: 15 * time.Minute, lead: 90 * time.Second, trouble: trouble, gone: gone, namespaces: namespaces, requests: 2 * time.Minute}
					for seed := range uint64(3) {
						if expired, least := c.live(t, seed, 40*time.Minute); expired > 0 {
							t.Errorf("seed %d: %d of 250 healthy tokens expired, by up to %s", seed, expired, -least)
						}
					}
				})
			}
		}
	}
}

// Clients that were well and hang from now on take a place for 15 s each before they are known: 8 places take 0.53 of them a second. Three hundred, each in
// a namespace of its own, come at 0.37 a second with tokens of 15 minutes, which leaves room for the others; 350 do not always, and 500 never (docs/design.md).
func TestHangingClientsInNamespacesOfTheirOwn(t *testing.T) {
	t.Parallel()
	c := crowd{good: 500, bad: 300, life: 15 * time.Minute, lead: 90 * time.Second, trouble: troubles[4], gone: true, namespaces: 500}
	for seed := range uint64(3) {
		if expired, least := c.live(t, seed, 40*time.Minute); expired > 0 {
			t.Errorf("seed %d: %d of 500 healthy tokens expired, by up to %s", seed, expired, -least)
		}
	}
}

// TestGateHealthyClientsWithRareFailures: of 600 clients of a host 300 get no answer any more, and of the others one call in twenty fails. After the first
// quarter of an hour those that fail now and then still renew in time: at most one renewal in 500 is late.
func TestGateHealthyClientsWithRareFailures(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := simulate(t, Limits{}, seed)
			good := s.healthy(300, 15*time.Minute, 90*time.Second, 20)
			for i, o := range s.healthy(300, 15*time.Minute, 90*time.Second, 20) {
				o.Client, o.Object, o.bad = fmt.Sprintf("bad-%d", i), fmt.Sprintf("%s/bad-%d", o.Namespace, i), true
			}
			s.run(20 * time.Minute)
			s.call = func(o *object) (time.Duration, Result) {
				switch {
				case o.bad:
					return 15 * time.Second, failed
				case s.random.IntN(20) == 0:
					return 50 * time.Millisecond, failed
				}
				return 50 * time.Millisecond, served
			}
			s.run(15 * time.Minute)
			calls, late := 0, 0
			for _, o := range good {
				calls, late = calls-o.calls, late-o.expired
			}
			s.run(2 * time.Hour)
			for _, o := range good {
				calls, late = calls+o.calls, late+o.expired
			}
			if late > calls/500 {
				t.Errorf("%d of %d renewals were late", late, calls)
			}
		})
	}
}
