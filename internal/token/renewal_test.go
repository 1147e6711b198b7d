// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

func life(lifetime time.Duration) token.Life {
	return token.Life{IssuedAt: sent, ExpiresAt: sent.Add(lifetime)}
}

func TestLeadOfARenewal(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lifetime, before time.Duration
		lead, prompt     time.Duration
	}{
		"a day: a quarter":                      {lifetime: 24 * time.Hour, lead: 6 * time.Hour, prompt: 6 * time.Hour},
		"an hour: a quarter":                    {lifetime: time.Hour, lead: 15 * time.Minute, prompt: 15 * time.Minute},
		"ten minutes: a quarter is just enough": {lifetime: 10 * time.Minute, lead: 150 * time.Second, prompt: 150 * time.Second},
		"eight minutes: at least 2m30s":         {lifetime: 8 * time.Minute, lead: 150 * time.Second, prompt: 2 * time.Minute},
		"five minutes: 2m30s is half":           {lifetime: 5 * time.Minute, lead: 150 * time.Second, prompt: 75 * time.Second},
		"four minutes: not more than half":      {lifetime: 4 * time.Minute, lead: 2 * time.Minute, prompt: time.Minute},
		"three minutes: 45 s with prompt pods":  {lifetime: 3 * time.Minute, lead: 90 * time.Second, prompt: 45 * time.Second},
		"ninety seconds: half":                  {lifetime: 90 * time.Second, lead: 45 * time.Second, prompt: 45 * time.Second},
		"half a minute: half":                   {lifetime: 30 * time.Second, lead: 15 * time.Second, prompt: 15 * time.Second},
		"the user's":                            {lifetime: time.Hour, before: 10 * time.Minute, lead: 10 * time.Minute, prompt: 10 * time.Minute},
		"the user's, below the default's least": {lifetime: time.Hour, before: time.Second, lead: time.Second, prompt: time.Second},
		"the user's, but not more than half":    {lifetime: time.Hour, before: 50 * time.Minute, lead: 30 * time.Minute, prompt: 30 * time.Minute},
		"the user's, longer than the token":     {lifetime: time.Hour, before: 24 * time.Hour, lead: 30 * time.Minute, prompt: 30 * time.Minute},
		"zero is the default":                   {lifetime: time.Hour, before: 0, lead: 15 * time.Minute, prompt: 15 * time.Minute},
		"less than zero is the default":         {lifetime: time.Hour, before: -time.Minute, lead: 15 * time.Minute, prompt: 15 * time.Minute},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range 1000 {
				uid := fmt.Sprintf("uid-%d", i)
				for _, renewal := range []struct {
					lead time.Duration
					got  time.Time
				}{
					{test.lead, life(test.lifetime).RenewAt(test.before, uid)}, {test.prompt, life(test.lifetime).RenewAtPrompt(test.before, uid)},
				} {
					latest, got := sent.Add(test.lifetime-renewal.lead), renewal.got
					if got.After(latest) || got.Before(latest.Add(-test.lifetime/10)) {
						t.Fatalf("renewed %v before it expires, want %v and up to a tenth of %v more", sent.Add(test.lifetime).Sub(got), renewal.lead, test.lifetime)
					}
				}
			}
		})
	}
}

// TestJitter pins the jitter of three UIDs, so that an upgrade does not move every renewal, and looks at how it spreads.
func TestJitter(t *testing.T) {
	t.Parallel()
	// The first eight bytes of sha256(uid) as a share of 2^64, of a tenth of 1000 minutes.
	for uid, want := range map[string]time.Duration{
		"": 88*time.Minute + 56*time.Second, "a": 79*time.Minute + 8*time.Second,
		"7f1c4a58-4c8e-4a7e-9f0d-2b1f6a3c5d7e": 74*time.Minute + 33*time.Second,
	} {
		got := sent.Add(750 * time.Minute).Sub(life(1000*time.Minute).RenewAt(0, uid))
		if got.Truncate(time.Second) != want {
			t.Errorf("%q: %v, want %v", uid, got.Truncate(time.Second), want)
		}
	}
	const n = 10_000
	var tenths [10]int
	for i := range n {
		uid := fmt.Sprintf("uid-%d", i)
		renew := life(1000*time.Minute).RenewAt(0, uid)
		if again := life(1000*time.Minute).RenewAt(0, uid); !again.Equal(renew) {
			t.Fatalf("%s is renewed at %v and at %v", uid, renew, again)
		}
		jitter := sent.Add(750 * time.Minute).Sub(renew)
		if jitter < 0 || jitter >= 100*time.Minute {
			t.Fatalf("%s: %v", uid, jitter)
		}
		tenths[jitter/(10*time.Minute)]++
	}
	for i, count := range tenths {
		if count < 900 || count > 1100 {
			t.Errorf("%d of %d are in tenth %d", count, n, i)
		}
	}
}

func TestRenewalIsAfterIssuing(t *testing.T) {
	t.Parallel()
	for _, lifetime := range []time.Duration{1, time.Second, 10 * time.Second, time.Hour, token.MaxLifetime} {
		for i := range 100 {
			got := life(lifetime).RenewAt(lifetime, fmt.Sprintf("uid-%d", i))
			if got.Before(sent) || !got.Before(sent.Add(lifetime)) && lifetime > 1 {
				t.Errorf("a token of %v is renewed %v after it was issued", lifetime, got.Sub(sent))
			}
		}
	}
}

func TestNoExpiryNoRenewal(t *testing.T) {
	t.Parallel()
	for _, got := range []time.Time{(token.Life{}).RenewAt(time.Hour, "uid"), (token.Life{}).RenewAtPrompt(time.Hour, "uid")} {
		if !got.IsZero() {
			t.Errorf("renewed at %v", got)
		}
	}
}

// TestRenewLateKeepsWithinTheMaximum: no earlier than most before it expires, whoever asks and whatever the user says.
func TestRenewLateKeepsWithinTheMaximum(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lifetime, before, most time.Duration
		lead                   time.Duration
	}{
		"a day":               {lifetime: 24 * time.Hour, most: 90 * time.Second, lead: 90 * time.Second},
		"a longer wish":       {lifetime: time.Hour, before: 10 * time.Minute, most: 90 * time.Second, lead: 90 * time.Second},
		"a shorter wish":      {lifetime: time.Hour, before: time.Minute, most: 90 * time.Second, lead: time.Minute},
		"half of two minutes": {lifetime: 2 * time.Minute, most: 90 * time.Second, lead: time.Minute},
	} {
		if got := life(test.lifetime).RenewLate(test.before, test.most); !got.Equal(sent.Add(test.lifetime - test.lead)) {
			t.Errorf("%s: renewed %v before it expires, want %v", name, sent.Add(test.lifetime).Sub(got), test.lead)
		}
	}
	if got := (token.Life{}).RenewLate(0, time.Minute); !got.IsZero() {
		t.Errorf("what never expires is renewed at %v", got)
	}
}
