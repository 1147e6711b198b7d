// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestTargetNeverHoldsAnExpiredToken watches tokens of 30 s through three renewals, as an application sees them.
func TestTargetNeverHoldsAnExpiredToken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.endpoints.SetBehaviour(exchangetest.Behaviour{Lifetime: 30 * time.Second})
	c := s.ready("etl")

	seen := map[string]time.Time{}
	s.until(3*time.Minute, "three renewals", func() error {
		asked := time.Now()
		value := c.token()
		token, known := s.endpoints.Token(value)
		if !known {
			t.Fatal("the Secret has a token that was never issued")
		}
		if !token.LiveAt(asked) {
			t.Fatalf("the Secret had a token %s after its expiry", asked.Sub(token.Expires))
		}
		if _, again := seen[value]; !again {
			seen[value] = token.Expires
		}
		if len(seen) < 4 {
			return fmt.Errorf("%d tokens seen", len(seen))
		}
		return nil
	})
	if issued := c.issued(); issued != 4 {
		t.Errorf("%d tokens were issued for three renewals, want 4", issued)
	}
}
