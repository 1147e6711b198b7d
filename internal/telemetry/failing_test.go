// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFailingSeriesLastAsLongAsTheFailure: what is wrong with an object is told as long as it lasts, and nothing of it stays.
func TestFailingSeriesLastAsLongAsTheFailure(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	check := func(when string, failing []FailingCondition, want ...string) {
		t.Helper()
		m.Observe(etl, Object{Failing: failing})
		var got []string
		for _, line := range scraped(t, registry) {
			if rest, ok := strings.CutPrefix(line, "cdpcredential_failing"); ok {
				got = append(got, rest)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", when, diff)
		}
	}
	const of = ",name=etl,namespace=marketing,"
	check("well", nil)
	check("an outage", []FailingCondition{{"Reconciling", "EndpointUnavailable"}}, "{condition=Reconciling"+of+"reason=EndpointUnavailable} 1")
	check("another reason", []FailingCondition{{"Reconciling", "Throttled"}}, "{condition=Reconciling"+of+"reason=Throttled} 1")
	check("stalled, and not verified", []FailingCondition{{"Stalled", "BudgetSpent"}, {"Verified", "TokenRejected"}},
		"{condition=Stalled"+of+"reason=BudgetSpent} 1", "{condition=Verified"+of+"reason=TokenRejected} 1")
	check("well again", nil)
	check("stalled", []FailingCondition{{"Stalled", "SecretNotFound"}}, "{condition=Stalled"+of+"reason=SecretNotFound} 1")

	m.Forget(etl)
	for _, line := range scraped(t, registry) {
		if strings.Contains(line, "name=etl") {
			t.Errorf("once the object is gone there is still %s", line)
		}
	}
	if len(m.failing.shown) != 0 {
		t.Errorf("it still remembers %v", m.failing.shown)
	}
}
