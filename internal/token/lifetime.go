// SPDX-License-Identifier: Apache-2.0

// Package token computes when a token expires and when to renew it. It is pure: no I/O and no clock.
package token

import (
	"cmp"
	"errors"
	"time"
)

// MaxLifetime is the longest plausible lifetime. A longer one means a wrong unit or a broken server, and the token would never be renewed.
const MaxLifetime = 10 * 365 * 24 * time.Hour

// clockNoise is the apparent difference between two clocks that is ignored: Date headers and iat have whole seconds, and a request takes time.
const clockNoise = 2 * time.Second

// Reasons why a token cannot be used. The operator of the endpoint can fix them.
var (
	// ErrNoExpiry means that neither the token nor the answer has a lifetime, and that there is no default.
	ErrNoExpiry = errors.New("the token has no expiry")
	// ErrExpired means that the token had already expired when it was issued.
	ErrExpired = errors.New("the token has already expired")
	// ErrAbsurd means that the lifetime exceeds MaxLifetime.
	ErrAbsurd = errors.New("the token's lifetime is absurd: over ten years")
)

// Answer is what is known about the lifetime of a token in an answer.
type Answer struct {
	// Sent is when the request was sent, by the local clock. Required.
	Sent time.Time
	// Date is the answer's Date header (RFC 9110 section 6.6.1), the endpoint's time. Zero: unknown.
	Date time.Time
	// Claims are the token's own. Zero: it is opaque.
	Claims Claims
	// ExpiresIn is the answer's expires_in (RFC 6749 section 5.1), converted from the endpoint's own unit. Zero or less: unknown.
	ExpiresIn time.Duration
	// ClaimsOnly ignores ExpiresIn if the token has an expiry of its own (APSIS One: expires_in is deprecated).
	ClaimsOnly bool
	// Asked is the requested lifetime (Algonomy's validity), used if nothing else is known. Zero: none.
	Asked time.Duration
	// Default is the user's default for opaque tokens without an expiry, used last. Zero: such a token is refused.
	Default time.Duration
}

// Life is when a token was issued and expires, by the local clock. The zero Life is that of a credential that never expires.
type Life struct {
	// IssuedAt is when the request for it was sent.
	IssuedAt time.Time
	// ExpiresAt is the first moment at which the token is no longer valid.
	ExpiresAt time.Time
	// Skew is the endpoint's clock minus ours. Zero also if it is not known: see SkewKnown.
	Skew      time.Duration
	SkewKnown bool
}

// Lifetime is how long the token is valid from when it was requested.
func (l Life) Lifetime() time.Duration { return l.ExpiresAt.Sub(l.IssuedAt) }

// Life returns when the token expires: the earliest expiry that the token and the answer have. The lifetime is measured by the endpoint's clock and
// added to the time at which the request was sent by ours, so a wrong clock on either side does not matter. The error is ErrNoExpiry,
// ErrExpired or ErrAbsurd.
func (a Answer) Life() (Life, error) {
	life := Life{IssuedAt: a.Sent}
	life.Skew, life.SkewKnown = a.skew()
	lifetime, ok := a.lifetime(life.Skew)
	switch {
	case !ok:
		return Life{}, ErrNoExpiry
	case lifetime <= 0:
		return Life{}, ErrExpired
	case lifetime > MaxLifetime:
		return Life{}, ErrAbsurd
	}
	life.ExpiresAt = a.Sent.Add(lifetime)
	return life, nil
}

// lifetime is the shortest that the token and the answer have. Without any, the requested lifetime counts, then the default.
func (a Answer) lifetime(skew time.Duration) (lifetime time.Duration, ok bool) {
	claimed := !a.Claims.ExpiresAt.IsZero()
	byClaims := a.Claims.ExpiresAt.Sub(a.Sent.Add(skew))
	switch {
	case claimed && a.ExpiresIn > 0 && !a.ClaimsOnly:
		return min(byClaims, a.ExpiresIn), true
	case claimed:
		return byClaims, true
	}
	lifetime = cmp.Or(max(a.ExpiresIn, 0), max(a.Asked, 0), max(a.Default, 0))
	return lifetime, lifetime > 0
}

// skew is the endpoint's clock minus ours. A server may return a token that it made earlier, so the later of iat and Date is its present time.
// Without a Date, an iat in the past proves nothing: the endpoint's clock may be behind ours, or the token may be older. Then exp is taken
// literally, which gives the shorter of the two lifetimes.
func (a Answer) skew() (apart time.Duration, known bool) {
	present := a.Date
	if a.Claims.IssuedAt.After(present) {
		present = a.Claims.IssuedAt
	}
	if present.IsZero() {
		return 0, false
	}
	switch apart = present.Sub(a.Sent); {
	case apart < -clockNoise && a.Date.IsZero():
		return 0, false
	case apart.Abs() > clockNoise:
		return apart, true
	}
	return 0, true
}
