// SPDX-License-Identifier: Apache-2.0

package egress

import "time"

const (
	defaultRetryAfter = 30 * time.Second
	minRetryAfter     = time.Second
	maxRetryAfter     = 24 * time.Hour
	// pauseEvidence is how much evidence pauses a host, and maxPause for how long at most.
	pauseEvidence = 2
	maxPause      = time.Minute
	// sampleAfter is when one call is let through during a pause.
	sampleAfter = 10 * time.Second
)

func retryAfter(r Result) time.Duration {
	if !r.HasRetryAfter {
		return defaultRetryAfter
	}
	return min(max(r.RetryAfter, minRetryAfter), maxRetryAfter)
}

func (p *pause) on(t time.Time) bool { return t.Before(p.to) }

// sampleTime is when the next call may be let through, at most one a minute. While only clients were throttled that were not served before,
// a proven client need not wait.
func (p *pause) sampleTime() time.Time {
	at := p.from
	if p.provenFailed {
		at = at.Add(sampleAfter)
	}
	if next := p.sampledAt.Add(maxPause); !p.sampledAt.IsZero() && next.After(at) {
		return next
	}
	return at
}

// begin pauses the host.
func (p *pause) begin(t time.Time, d time.Duration) {
	p.from, p.to, p.sample = t, t.Add(min(d, maxPause)), nil
}

// expire ends a pause whose time is over. Its evidence does not count after it.
func (p *pause) expire(t time.Time) {
	if !p.to.IsZero() && !p.on(t) {
		*p = pause{retryAt: p.retryAt, sampledAt: p.sampledAt}
	}
}

// end ends a pause because a client was served.
func (p *pause) end() { *p = pause{evidence: p.evidence, retryAt: p.retryAt} }
