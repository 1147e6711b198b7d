// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// minLead is the least default lead: a kubelet may take more than a minute to show a changed Secret in a mounted volume (64 s
// measured), and the first attempt may fail. minPromptLead is the same where pods are told of a new token at once and see it within two
// seconds.
const (
	minLead       = 150 * time.Second
	minPromptLead = 45 * time.Second
)

// RenewAt says when the token is to be renewed: its lead, and a jitter that spreads objects made at the same moment, before it
// expires. before is the user's wish; zero or less means the default lead. uid identifies the object, so that every pass and every
// replica finds the same time with nothing stored. A zero Life is never renewed: the result is zero.
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

// RenewLate is RenewAt for a token that is not to be renewed earlier than needed: with a lead of at most most, and without jitter.
func (l Life) RenewLate(before, most time.Duration) time.Time {
	if l.ExpiresAt.IsZero() {
		return time.Time{}
	}
	return l.ExpiresAt.Add(-min(l.lead(before, minLead), most))
}

// lead is how long before expiry the token is renewed: the user's wish, or else a quarter of the lifetime but at least least.
// Never more than half of the lifetime, else a short-lived token would be renewed in a loop.
func (l Life) lead(before, least time.Duration) time.Duration {
	lead := before
	if lead <= 0 {
		lead = max(l.Lifetime()/4, least)
	}
	return min(lead, l.Lifetime()/2)
}

// jitter is 0 to 10 % of the lifetime, by a hash of the UID. It only ever makes a renewal earlier.
func (l Life) jitter(uid string) time.Duration {
	sum := sha256.Sum256([]byte(uid))
	share := float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
	return time.Duration(share * float64(l.Lifetime()/10))
}
