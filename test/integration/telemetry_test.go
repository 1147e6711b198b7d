// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestEventsReportChangesOnly requires one event per token, one Warning per change of reason, and no others.
func TestEventsReportChangesOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	c := s.ready("etl")
	c.settled()
	c.request("second")
	c.waitIssued(2)

	c.settled()
	s.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault { return exchangetest.Answer(500) }})
	c.request("third")
	c.waitFailed("Reconciling", "EndpointUnavailable")
	s.until(patience, "more attempts", func() error {
		if failures := c.object().Status.Failures; failures < 3 {
			return fmt.Errorf("%d failures", failures)
		}
		return nil
	})
	s.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault { return exchangetest.Garbage() }})
	c.waitFailed("Reconciling", "MalformedResponse")
	s.endpoints.SetBehaviour(exchangetest.Behaviour{})
	c.waitIssued(3)

	want := map[string]int{"Normal TokenRefreshed": 3, "Warning EndpointUnavailable": 1, "Warning MalformedResponse": 1}
	s.until(patience, "the events", func() error {
		got := map[string]int{}
		for _, event := range s.eventsOf(c.name, "") {
			got[event.Type+" "+event.Reason] += s.times(event)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("-want +got:\n%s", diff)
		}
		return nil
	})
	for _, event := range s.eventsOf(c.name, "TokenRefreshed") {
		if event.Related == nil || event.Related.Kind != "Secret" || event.Related.Name != "etl-token" || event.ReportingController != "cdp-credential-operator" {
			t.Errorf("the event is about %v, from %s", event.Related, event.ReportingController)
		}
	}
}

// TestMetricsPageHasEveryName fetches the page as Prometheus would, and requires all the names that dashboards use.
func TestMetricsPageHasEveryName(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	c := s.ready("etl")
	c.settled()
	c.request("now")
	c.waitIssued(2)

	of := fmt.Sprintf(`{name="etl",namespace="%s"} `, s.namespace)
	page := s.page()
	for _, want := range []string{
		"cdpcredential_token_expiration_timestamp_seconds" + of, "cdpcredential_next_refresh_timestamp_seconds" + of, "cdpcredential_ready" + of + "1\n",
		`cdpcredential_exchanges_total{provider="oauth2",reason="TokenIssued",result="success"} `,
		`cdpcredential_exchange_duration_seconds_bucket{provider="oauth2",le="`, `cdpcredential_refresh_margin_seconds_bucket{le="`,
		`cdpcredential_refresh_lateness_seconds_bucket{le="`, `cdpcredential_clock_skew_seconds{endpoint="` + s.endpoints.Host(exchangetest.OAuth2) + `"} 0`,
		"# TYPE cdpcredential_exchange_duration_seconds histogram",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}

	s.must(s.Client.Delete(t.Context(), c.object()))
	s.until(patience, "the series to go", func() error {
		if strings.Contains(s.page(), s.namespace) {
			return errNotYet
		}
		return nil
	})
}

// TestMetricsAreNotForEverybody: reading metrics needs a token with the right to do so.
func TestMetricsAreNotForEverybody(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	account := &corev1.ServiceAccount{ObjectMeta: s.meta("stranger")}
	s.must(s.Client.Create(t.Context(), account))
	stranger, err := s.identityOf(t.Context(), account)
	s.must(err)
	for name, test := range map[string]struct {
		token string
		want  int
	}{
		"no token":    {"", http.StatusUnauthorized},
		"a bad token": {"abc", http.StatusInternalServerError}, // controller-runtime's filter says so about one that the API server does not know
		"a stranger":  {stranger.config.BearerToken, http.StatusForbidden},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.cluster.manager.metrics+"/metrics", nil)
		s.must(err)
		if test.token != "" {
			request.Header.Set("Authorization", "Bearer "+test.token)
		}
		response, err := insecure().Do(request)
		s.must(err)
		response.Body.Close()
		if response.StatusCode != test.want {
			t.Errorf("%s: %s, want %d", name, response.Status, test.want)
		}
	}
	if _, err := s.scrape(t.Context()); err != nil {
		t.Errorf("a reader of metrics: %v", err)
	}
}

func (s *stage) page() string {
	s.Helper()
	page, err := s.scrape(s.Context())
	s.must(err)
	return string(page)
}
