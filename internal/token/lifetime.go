// SPDX-License-Identifier: Apache-2.0

// Package token knows when a token expires and when it is to be renewed. It is pure: no I/O and no clock.
package token

import (
	"cmp"
	"errors"
	"time"
)

// MaxLifetime is the longest lifetime that is believed. A longer one means a wrong unit or a broken server, and a token that nobody
// would ever renew.
const MaxLifetime = 10 * 365 * 24 * time.Hour

// clockNoise is how far two clocks may seem apart because a Date header and iat have whole seconds and a request takes a while.
const clockNoise = 2 * time.Second

// Why an answer's token cannot be used. Whoever runs the endpoint can fix it.
var (
	// ErrNoExpiry says that neither the token nor the answer says how long the token lives, and no default was given.
	ErrNoExpiry = errors.New("the token has no expiry")
	// ErrExpired says that the token had already expired when it was handed out.
	ErrExpired = errors.New("the token has already expired")
	// ErrAbsurd says that the lifetime is above MaxLifetime.
	ErrAbsurd = errors.New("the token's lifetime is absurd: over ten years")
)

// Answer is all that is known about the lifetime of one answer's token.
type Answer struct {
	// Sent is the local time at which the request was sent. Required.
	Sent time.Time
	// Date is the answer's Date header (RFC 9110 section 6.6.1), the endpoint's clock. Zero: it had none.
	Date time.Time
	// Claims are the token's own. Zero: it is opaque.
	Claims Claims
	// ExpiresIn is the answer's expires_in (RFC 6749 section 5.1), converted from the endpoint's own unit. Zero or less: it had none.
	ExpiresIn time.Duration
	// ClaimsOnly makes ExpiresIn count only where the token has no expiry of its own (APSIS One: expires_in is deprecated).
	ClaimsOnly bool
	// Asked is the lifetime that was asked for (Algonomy's validity), used when nothing else is known. Zero: none.
	Asked time.Duration
	// Default is the user's statement about an opaque token without an expiry, used last. Zero: such a token is refused.
	Default time.Duration
}

// Life is the time of one token in the local clock. The zero Life is that of a credential that never expires.
type Life struct {
	// IssuedAt is when the request for it was sent.
	IssuedAt time.Time
	// ExpiresAt is the first moment at which the token is no longer valid.
	ExpiresAt time.Time
	// Skew is the endpoint's clock minus ours. Zero also when the answer said nothing about the endpoint's clock, which SkewKnown tells.
	Skew      time.Duration
	SkewKnown bool
}

// Lifetime is how long the token lived when it was asked for.
func (l Life) Lifetime() time.Duration { return l.ExpiresAt.Sub(l.IssuedAt) }

// Life returns when the token expires. If there are several statements, the earliest counts. The lifetime is measured on the endpoint's clock and
// then counted from the moment the request was sent on ours, so a wrong clock on either side does not matter. The error is
// ErrNoExpiry, ErrExpired or ErrAbsurd.
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

// lifetime is the earliest that the token and the answer say. If they say nothing, what was asked for counts, then the default.
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

// skew is what the endpoint's clock is ahead of ours. A server may hand out a token that it made a while ago, so of iat and Date the
// later one is its present time. Without a Date an iat in the past says nothing: the token may be new and that clock behind ours, or it was made
// a while ago. Then exp counts as it stands, which gives the shorter of the two lifetimes.
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
