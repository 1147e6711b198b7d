// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// almostOne is the largest chance in these tests: 1023/1024, which has no rounding error.
const almostOne = 1 - 1.0/1024

// TestFailuresFollowTheFailureTable is the failure table of design.md section 4: the reason, who has to act, and when the next attempt is, after the first,
// second, third and tenth failure in a row and with the least, a middle and the most chance. No token is held.
func TestFailuresFollowTheFailureTable(t *testing.T) {
	t.Parallel()
	slow := [4][3]string{{"15m0s", "15m0s", "15m0s"}, {"30m0s", "30m0s", "30m0s"}, {"1h0m0s", "1h0m0s", "1h0m0s"}, {"1h0m0s", "1h0m0s", "1h0m0s"}}
	// 2 s doubling, with full jitter; but no two attempts are less than 10 s apart.
	quick := [4][3]string{{"10s", "10s", "10s"}, {"10s", "10s", "10s"}, {"10s", "10s", "10s"}, {"10s", "2m30s", "4m59.70703125s"}}
	throttled := [4][3]string{
		{"30s", "37.5s", "44.985351562s"}, {"1m0s", "1m15s", "1m29.970703125s"}, {"2m0s", "2m30s", "2m59.94140625s"}, {"5m0s", "6m15s", "7m29.853515625s"},
	}
	hour := [4][3]string{{"1h0m0s", "1h0m0s", "1h0m0s"}, {"1h0m0s", "1h0m0s", "1h0m0s"}, {"1h0m0s", "1h0m0s", "1h0m0s"}, {"1h0m0s", "1h0m0s", "1h0m0s"}}
	change := [4][3]string{{"never", "never", "never"}, {"never", "never", "never"}, {"never", "never", "never"}, {"never", "never", "never"}}
	tests := map[string]struct {
		err                error
		reason             string
		stalled, attempted bool
		next               [4][3]string
	}{
		"client Secret's key missing":    {&missingKeyError{Secret: "etl-client", Key: "client-id", Field: "clientID"}, "SecretKeyMissing", true, true, change},
		"private key unreadable":         {&exchange.Error{Kind: exchange.InvalidKey, Field: "privateKey", Detail: "is no PEM"}, "SecretKeyInvalid", true, true, change},
		"passphrase wrong":               {&exchange.Error{Kind: exchange.InvalidKey, Field: "privateKeyPassphrase", Detail: "does not fit"}, "SecretKeyInvalid", true, true, change},
		"caBundle bad":                   {fmt.Errorf("x: %w", &egress.CABundleError{Why: "it is no PEM"}), "InvalidSpec", true, false, change},
		"request that cannot be sent":    {&exchange.Error{Kind: exchange.InvalidRequest, Field: "headers", Detail: "must have names"}, "InvalidSpec", true, true, change},
		"provider not served":            {&exchange.Error{Kind: exchange.Unsupported, Detail: "not served"}, "InvalidSpec", true, true, change},
		"address refused":                {&exchange.Error{Kind: exchange.Unavailable, Cause: refusedAddress()}, "EndpointRefused", true, true, slow},
		"400, 401, 403":                  {&exchange.Error{Kind: exchange.Rejected, Status: 401}, "CredentialsRejected", true, true, slow},
		"429 with Retry-After":           {&exchange.Error{Kind: exchange.Throttled, Status: 429, RetryAfter: time.Hour, HasRetryAfter: true}, "Throttled", false, true, hour},
		"429 without":                    {&exchange.Error{Kind: exchange.Throttled, Status: 429}, "Throttled", false, true, throttled},
		"429 with Retry-After 0":         {&exchange.Error{Kind: exchange.Throttled, Status: 429, HasRetryAfter: true}, "Throttled", false, true, throttled},
		"5xx":                            {&exchange.Error{Kind: exchange.Unavailable, Status: 503}, "EndpointUnavailable", false, true, quick},
		"3xx":                            {&exchange.Error{Kind: exchange.Unavailable, Status: 302}, "EndpointUnavailable", false, true, quick},
		"other 4xx":                      {&exchange.Error{Kind: exchange.Unavailable, Status: 404}, "EndpointUnavailable", false, true, quick},
		"timeout, reset, DNS, TLS":       {&exchange.Error{Kind: exchange.Unavailable, Cause: errors.New("x")}, "EndpointUnavailable", false, true, quick},
		"2xx without a usable token":     {&exchange.Error{Kind: exchange.Malformed, Status: 200}, "MalformedResponse", false, true, quick},
		"a kind that has no name so far": {&exchange.Error{Kind: 99}, "EndpointUnavailable", false, true, quick},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, before := range []int32{0, 1, 2, 9} {
				for j, chance := range []float64{0, 0.5, almostOne} {
					s := steady()
					missing(s)
					if before > 0 {
						failed(s, tc.reason, "11:00:00")
						s.Object.Status.Failures = before
					}
					f := failureOf(s, tc.err, chance)
					if f.Reason != tc.reason || f.Stalled != tc.stalled || f.Attempted != tc.attempted {
						t.Fatalf("got %s, stalled: %t, attempted: %t; want %s, %t, %t", f.Reason, f.Stalled, f.Attempted, tc.reason, tc.stalled, tc.attempted)
					}
					if got := delay(s, f); got != tc.next[i][j] {
						t.Errorf("after %d failures and with the chance %v the next attempt is in %s; want %s", before, chance, got, tc.next[i][j])
					}
				}
			}
		})
	}
}

func delay(s *State, f *Failure) string {
	if f.RetryAt.IsZero() {
		return "never"
	}
	return f.RetryAt.Sub(s.Now).String()
}

func refusedAddress() error {
	return fmt.Errorf("dial: %w", &egress.RefusedError{Addr: netip.MustParseAddr("10.0.0.1"), Why: egress.WhyPrivate})
}

// TestFailureOfAnotherErrorIsNone: what is not about the exchange is an error of the pass.
func TestFailureOfAnotherErrorIsNone(t *testing.T) {
	t.Parallel()
	if f := failureOf(steady(), errors.New("the API server is busy"), 0); f != nil {
		t.Errorf("got the failure %s", f.Reason)
	}
}

// TestRetryWithinTheTokensLife: while the held token lives, which expires at 12:00:00, a retry is not later than a share of what it has left. Only
// chance makes a retry of an outage sooner; here it is almost one, so that the bound is seen.
func TestRetryWithinTheTokensLife(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		now      string
		failures int32
		// outage is a 5xx and the like, rejected a 400, 401 or 403.
		outage, rejected string
	}{
		"an hour left, first failure":       {"11:00:00", 0, "10s", "15m0s"},
		"an hour left, third failure":       {"11:00:00", 2, "10s", "15m0s"},
		"an hour left, tenth failure":       {"11:00:00", 9, "4m59.70703125s", "15m0s"},
		"50 minutes left, first failure":    {"11:10:00", 0, "10s", "12m30s"},
		"20 minutes left":                   {"11:40:00", 9, "4m59.70703125s", "5m0s"},
		"19 minutes left":                   {"11:41:00", 9, "4m44.721679687s", "4m45s"},
		"4 minutes left":                    {"11:56:00", 9, "59.94140625s", "1m0s"},
		"4 minutes left, first failure":     {"11:56:00", 0, "10s", "1m0s"},
		"3 minutes left":                    {"11:57:00", 9, "44.956054687s", "1m0s"},
		"2 minutes left":                    {"11:58:00", 9, "29.970703125s", "1m0s"},
		"100 seconds left":                  {"11:58:20", 9, "24.975585937s", "50s"},
		"44 seconds left":                   {"11:59:16", 9, "10.989257812s", "22s"},
		"40 seconds left":                   {"11:59:20", 9, "10s", "20s"},
		"20 seconds left":                   {"11:59:40", 9, "10s", "10s"},
		"8 seconds left":                    {"11:59:52", 9, "10s", "10s"},
		"8 seconds left, second failure":    {"11:59:52", 1, "10s", "10s"},
		"a nanosecond left":                 {"11:59:59.999999999", 9, "10s", "10s"},
		"nothing left: nothing to be saved": {"12:00:00", 9, "4m59.70703125s", "1h0m0s"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for kind, want := range map[exchange.Kind]string{exchange.Unavailable: tc.outage, exchange.Malformed: tc.outage, exchange.Rejected: tc.rejected} {
				s := steady()
				s.Now = at(tc.now)
				failed(s, map[bool]string{true: "CredentialsRejected", false: "EndpointUnavailable"}[kind == exchange.Rejected], "11:00:00")
				s.Object.Status.Failures = tc.failures
				if got := delay(s, failureOf(s, &exchange.Error{Kind: kind}, almostOne)); got != want {
					t.Errorf("kind %d: got %s, want %s", kind, got, want)
				}
			}
		})
	}
	t.Run("a token that was edited is none", func(t *testing.T) {
		t.Parallel()
		for kind, want := range map[exchange.Kind]string{exchange.Unavailable: "4m59.70703125s", exchange.Rejected: "1h0m0s"} {
			s := steady()
			holding(replacedContent)(s)
			s.Now = at("11:59:20")
			failed(s, map[bool]string{true: "CredentialsRejected", false: "EndpointUnavailable"}[kind == exchange.Rejected], "11:00:00")
			s.Object.Status.Failures = 9
			if got := delay(s, failureOf(s, &exchange.Error{Kind: kind}, almostOne)); got != want {
				t.Errorf("kind %d: got %s, want %s", kind, got, want)
			}
		}
	})
	// A throttled client waits as long as it is told to, and an address that is closed to us does not open because a token ends.
	t.Run("others take no notice", func(t *testing.T) {
		t.Parallel()
		for want, err := range map[string]error{"30s": &exchange.Error{Kind: exchange.Throttled}, "15m0s": refusedAddress()} {
			s := steady()
			s.Now = at("11:59:20")
			if got := delay(s, failureOf(s, err, 0)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	})
}

// TestRetryAfterMovesTheNextAttemptOut moves the next attempt out and never in. Where the answer was no 429 and the held token lives, which expires at 12:00:00, it moves it
// no further than half of what the token has left.
func TestRetryAfterMovesTheNextAttemptOut(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		kind   exchange.Kind
		after  time.Duration
		chance float64
		now    string
		want   string
	}{
		"429 of a second":                  {exchange.Throttled, time.Second, almostOne, "11:59:20", "10s"},
		"429 of a minute":                  {exchange.Throttled, time.Minute, almostOne, "11:59:20", "1m0s"},
		"429 of a day":                     {exchange.Throttled, 24 * time.Hour, almostOne, "11:59:20", "24h0m0s"},
		"503 of a minute":                  {exchange.Unavailable, time.Minute, almostOne, "11:00:00", "1m0s"},
		"503 of a minute, no chance":       {exchange.Unavailable, time.Minute, 0, "11:00:00", "1m0s"},
		"503 of a second":                  {exchange.Unavailable, time.Second, almostOne, "11:00:00", "10s"},
		"503 of nothing":                   {exchange.Unavailable, 0, 0.5, "11:00:00", "10s"},
		"503 of an hour, an hour left":     {exchange.Unavailable, time.Hour, 0.5, "11:00:00", "30m0s"},
		"503 of an hour, 3 minutes left":   {exchange.Unavailable, time.Hour, 0.5, "11:57:00", "1m30s"},
		"503 of an hour, 12 seconds left":  {exchange.Unavailable, time.Hour, 0.5, "11:59:48", "10s"},
		"503 of a day, nothing left":       {exchange.Unavailable, 24 * time.Hour, 0.5, "12:00:00", "24h0m0s"},
		"2xx without a token, of a minute": {exchange.Malformed, time.Minute, 0.5, "11:00:00", "1m0s"},
		"401 of a minute":                  {exchange.Rejected, time.Minute, 0.5, "11:00:00", "15m0s"},
		"401 of a day":                     {exchange.Rejected, 24 * time.Hour, 0.5, "11:00:00", "30m0s"},
		"401 of a day, nothing left":       {exchange.Rejected, 24 * time.Hour, 0.5, "12:00:00", "24h0m0s"},
		// Nothing was sent, and only a change helps.
		"no key": {exchange.InvalidKey, time.Minute, 0.5, "11:00:00", "never"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			s.Now = at(tc.now)
			f := failureOf(s, &exchange.Error{Kind: tc.kind, RetryAfter: tc.after, HasRetryAfter: true}, tc.chance)
			if got := delay(s, f); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

// TestConsecutiveFailuresAreOfOneClass: failures in a row count as long as they are of one kind. An outage says nothing about how soon a wrong secret is fixed.
func TestConsecutiveFailuresAreOfOneClass(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		before   string
		kind     exchange.Kind
		want     string
		failures int32
	}{
		"outage after outage":       {"EndpointUnavailable", exchange.Unavailable, "32s", 6},
		"garbage after outage":      {"EndpointUnavailable", exchange.Malformed, "32s", 6},
		"outage after garbage":      {"MalformedResponse", exchange.Unavailable, "32s", 6},
		"refusal after outage":      {"EndpointUnavailable", exchange.Rejected, "15m0s", 1},
		"outage after refusal":      {"CredentialsRejected", exchange.Unavailable, "10s", 1},
		"throttling after outage":   {"EndpointUnavailable", exchange.Throttled, "37.5s", 1},
		"outage after throttling":   {"Throttled", exchange.Unavailable, "10s", 1},
		"refusal after the budget":  {"BudgetSpent", exchange.Rejected, "15m0s", 1},
		"refusal after an obstacle": {"HostNotAllowed", exchange.Rejected, "15m0s", 1},
		"refusal after refusal":     {"CredentialsRejected", exchange.Rejected, "1h0m0s", 6},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			missing(s)
			failed(s, tc.before, "11:00:00")
			s.Object.Status.Failures = 5
			f := failureOf(s, &exchange.Error{Kind: tc.kind}, 0.5)
			if got := delay(s, f); got != tc.want {
				t.Errorf("the next attempt is in %s, want %s", got, tc.want)
			}
			if got := NewStatus(s, Plan{Action: ActionIssue}, Result{Failure: f}, nil).Failures; got != tc.failures {
				t.Errorf("status has %d failures, want %d", got, tc.failures)
			}
		})
	}
}

// TestDoubledIsBounded also takes counts that a status could only have from years of failing.
func TestDoubledIsBounded(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int32]time.Duration{0: 2 * time.Second, 1: 4 * time.Second, 7: 256 * time.Second, 8: 5 * time.Minute, 1 << 30: 5 * time.Minute, -1: 2 * time.Second} {
		if got := Doubled(2*time.Second, 5*time.Minute, failures); got != want {
			t.Errorf("after %d failures: got %s, want %s", failures, got, want)
		}
	}
}

// TestDayOfFailingHasNoLoop drives plan, failureOf, report and wake for one simulated day. It counts attempts, and also passes: a pass that finds
// nothing to do and comes back at once is a loop.
func TestDayOfFailingHasNoLoop(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err         error
		given       func(*State)
		chance      float64
		maxAttempts int
	}{
		"wrong credentials": {&exchange.Error{Kind: exchange.Rejected, Status: 401}, missing, 0.5, 26},
		// While the token lives it is tried more often, for 42 minutes.
		"wrong credentials, a token is held":      {&exchange.Error{Kind: exchange.Rejected, Status: 401}, func(*State) {}, 0.5, 26 + 14},
		"wrong credentials, and a drifted target": {&exchange.Error{Kind: exchange.Rejected, Status: 401}, foreignMetadata, 0.5, 26 + 14},
		"closed address":                          {&exchange.Error{Kind: exchange.Unavailable, Cause: refusedAddress()}, missing, 0.5, 26},
		"missing key":                             {&missingKeyError{Secret: "etl-client", Key: "client-id", Field: "clientID"}, missing, 0.5, 1},
		"429 of an hour":                          {&exchange.Error{Kind: exchange.Throttled, RetryAfter: time.Hour, HasRetryAfter: true}, missing, 0.5, 25},
		"429":                                     {&exchange.Error{Kind: exchange.Throttled}, missing, 0, 24*12 + 5},
		"429 of nothing":                          {&exchange.Error{Kind: exchange.Throttled, HasRetryAfter: true}, missing, 0, 24*12 + 5},
		"outage":                                  {&exchange.Error{Kind: exchange.Unavailable}, missing, almostOne, 24*12 + 10},
		"outage, a token is held":                 {&exchange.Error{Kind: exchange.Unavailable}, func(*State) {}, almostOne, 24*12 + 20},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			tc.given(s)
			s.Difference = Different
			end := s.Now.Add(24 * time.Hour)
			attempts, passes := 0, 0
			for s.Now.Before(end) {
				passes++
				plan := Decide(s)
				var result Result
				if plan.Action == ActionIssue {
					attempts++
					result.Failure = failureOf(s, tc.err, tc.chance)
				} else {
					result = NoAction(plan)
				}
				status := NewStatus(s, plan, result, nil)
				after := RequeueAfter(s, plan, result, time.Time{}, &status)
				s.Object.Status = status
				if after == 0 {
					break
				}
				s.Now = s.Now.Add(after)
			}
			if attempts > tc.maxAttempts || passes > attempts+2 {
				t.Errorf("%d attempts and %d passes a day; want at most %d attempts, and no more passes but two", attempts, passes, tc.maxAttempts)
			}
			t.Logf("%d attempts, %d passes", attempts, passes)
		})
	}
}

// TestBudgetFailureWaitsForTheNextDay waits for the next UTC day.
func TestBudgetFailureWaitsForTheNextDay(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{
		"2026-03-01T00:00:00Z":           "2026-03-02T00:00:00Z",
		"2026-03-01T11:17:43Z":           "2026-03-02T00:00:00Z",
		"2026-03-01T23:59:59.999999999Z": "2026-03-02T00:00:00Z",
		"2026-03-02T00:59:59+01:00":      "2026-03-02T00:00:00Z",
		"2024-02-28T12:00:00Z":           "2024-02-29T00:00:00Z",
		"2026-12-31T12:00:00Z":           "2027-01-01T00:00:00Z",
	} {
		s := steady()
		budget(s, 20, 20)
		var err error
		if s.Now, err = time.Parse(time.RFC3339, now); err != nil {
			t.Fatal(err)
		}
		f := budgetFailure(s)
		if got := f.RetryAt.UTC().Format(time.RFC3339Nano); got != want || f.Reason != "BudgetSpent" || !f.Stalled || f.Attempted {
			t.Errorf("%s: got %s at %s, stalled: %t, attempted: %t; want BudgetSpent at %s", now, f.Reason, got, f.Stalled, f.Attempted, want)
		}
	}
}

// TestEarlyAttemptsIncludeOneThatStatusDoesNotKnow: the write of a token may fail after an early attempt, and with it what status would say of that.
func TestEarlyAttemptsIncludeOneThatStatusDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status []string
		memory string
		want   int
	}{
		"none":                           {nil, "", 0},
		"in status":                      {[]string{"11:10:00"}, "", 1},
		"in status, too long ago":        {[]string{"11:07:43", "11:10:00"}, "", 1},
		"in memory":                      {nil, "11:15:00.5", 1},
		"in memory, too long ago":        {nil, "11:07:43", 0},
		"the same in both":               {[]string{"11:15:01"}, "11:15:00.5", 1},
		"in memory, after one in status": {[]string{"11:10:00"}, "11:15:00.5", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			for _, clock := range tc.status {
				s.Object.Status.EarlyAttempts = append(s.Object.Status.EarlyAttempts, metav1.NewTime(at(clock)))
			}
			if tc.memory != "" {
				s.EarlyAt = at(tc.memory)
			}
			if got := earlyAttempts(s); len(got) != tc.want {
				t.Errorf("got %v, want %d", got, tc.want)
			}
		})
	}
}
