// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// minLead is the minimum of the default lead: a kubelet may take more than a minute to update a mounted Secret (64 s measured), and the first
// attempt may fail. minPromptLead is the same where pods are told of a new token at once and see it within two
// seconds.
const (
	minLead       = 150 * time.Second
	minPromptLead = 45 * time.Second
)

// RenewAt returns when to renew the token: before its expiry by its lead, and by a jitter that spreads objects created at the same moment. before is
// the user's lead; zero or less means the default. uid is that of the object: every reconcile and every replica computes the same time
// without storing it. The result is zero for a zero Life, which is never renewed.
func (l Life) RenewAt(before time.Duration, uid string) time.Time {
	if l.ExpiresAt.IsZero() {
		return time.Time{}
	}
	return l.ExpiresAt.Add(-l.lead(before, minLead)).Add(-l.jitter(uid))
}

// RenewAtPrompt is RenewAt where pods see a new token within seconds, so that the default lead may be shorter.
func (l Life) RenewAtPrompt(before time.Duration, uid string) time.Time {
	if l.ExpiresAt.IsZero() {
		return time.Time{}
	}
	return l.ExpiresAt.Add(-l.lead(before, minPromptLead)).Add(-l.jitter(uid))
}

// RenewLate is RenewAt for a token that should not be renewed earlier than necessary: with a lead of at most maxLead, and without jitter.
func (l Life) RenewLate(before, maxLead time.Duration) time.Time {
	if l.ExpiresAt.IsZero() {
		return time.Time{}
	}
	return l.ExpiresAt.Add(-min(l.lead(before, minLead), maxLead))
}

// lead is how long before its expiry the token is renewed: the user's lead, or a quarter of the lifetime but at least the given minimum. It is never
// more than half of the lifetime, or a short-lived token would be renewed in a loop.
func (l Life) lead(before, minimum time.Duration) time.Duration {
	lead := before
	if lead <= 0 {
		lead = max(l.Lifetime()/4, minimum)
	}
	return min(lead, l.Lifetime()/2)
}

// jitter is 0 to 10 % of the lifetime, derived from a hash of the UID. It only makes a renewal earlier.
func (l Life) jitter(uid string) time.Duration {
	sum := sha256.Sum256([]byte(uid))
	share := float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
	return time.Duration(share * float64(l.Lifetime()/10))
}
