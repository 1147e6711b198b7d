// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// TestAssertionClockLearnsTheEndpointsOffset plays histories: +10m is a refusal by an endpoint whose clock is ahead by ten minutes, ok+10m a token of such a one. What is
// wanted is the offset that the next attempt is made with, and a ! where that attempt is made at once.
func TestAssertionClockLearnsTheEndpointsOffset(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ history, want string }{
		"right":                                {"ok0s ok0s", "0s 0s"},
		"wrong credentials":                    {"0s 0s 0s", "0s 0s 0s"},
		"ahead":                                {"10m ok10m ok10m", "10m0s! 10m0s 10m0s"},
		"behind":                               {"-10m ok-10m", "-10m0s! -10m0s"},
		"ahead, and wrong credentials":         {"10m 10m 10m", "10m0s! 10m0s 10m0s"},
		"ahead, a day later right":             {"10m ok10m ok0s", "10m0s! 10m0s 0s"},
		"stale: ahead, wrong, and right again": {"10m 10m 0s ok0s", "10m0s! 10m0s 0s! 0s"},
		"stale: behind, wrong, ahead":          {"-10m -10m 10m ok10m", "-10m0s! -10m0s 10m0s! 10m0s"},
		"one correction an attempt":            {"10m -10m 10m -10m", "10m0s! -10m0s 10m0s! -10m0s"},
		"within what is tolerated":             {"30s -30s", "0s 0s"},
		"just above":                           {"31s ok31s", "31s! 31s"},
		"learnt from a token, not a refusal":   {"ok10m ok10m", "10m0s 10m0s"},
		"a token that says nothing of a clock": {"10m ok ok", "10m0s! 10m0s 10m0s"},
	} {
		var c AssertionClock
		var got []string
		for answer := range strings.FieldsSeq(tc.history) {
			text, accepted := strings.CutPrefix(answer, "ok")
			skew, err := time.ParseDuration(text)
			if accepted {
				c.Accepted(skew, err == nil)
				got = append(got, c.Offset.String())
				continue
			}
			line := ""
			if c.Refused(c.Offset, skew) {
				line = "!"
			}
			got = append(got, c.Offset.String()+line)
		}
		if diff := cmp.Diff(strings.Fields(tc.want), got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

func TestRefusedAssertionTellsAClockProblem(t *testing.T) {
	t.Parallel()
	request := func(p v1alpha1.Provider) exchange.Request { return exchange.Request{Flow: intentFor(p).Flow} }
	signed := request(v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com", AuthMethod: "PrivateKeyJWT"}})
	account := request(v1alpha1.Provider{Adobe: &v1alpha1.Adobe{ServiceAccount: &v1alpha1.AdobeServiceAccount{}}})
	secret := request(v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com"}})
	for name, tc := range map[string]struct {
		req     exchange.Request
		err     error
		refused bool
	}{
		"a client assertion":    {signed, &exchange.Error{Kind: exchange.Rejected, Skew: time.Hour}, true},
		"a service account":     {account, &exchange.Error{Kind: exchange.Rejected, Skew: time.Hour}, true},
		"a client secret":       {secret, &exchange.Error{Kind: exchange.Rejected, Skew: time.Hour}, false},
		"throttled":             {signed, &exchange.Error{Kind: exchange.Throttled, Skew: time.Hour}, false},
		"no answer":             {signed, errors.New("refused"), false},
		"an endpoint in outage": {signed, &exchange.Error{Kind: exchange.Unavailable}, false},
	} {
		skew, refused := refusedAssertion(tc.req, tc.err)
		if refused != tc.refused || refused && skew != time.Hour {
			t.Errorf("%s: %s, %v", name, skew, refused)
		}
	}
}
