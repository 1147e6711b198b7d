// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"k8s.io/apimachinery/pkg/types"
)

func page(tb testing.TB, registry prometheus.Gatherer) string {
	tb.Helper()
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/metrics", nil))
	if answer.Code != http.StatusOK {
		tb.Fatal(answer.Body)
	}
	return answer.Body.String()
}

// TestObjectSeries: what is not known has no series, and what is forgotten has none any more.
func TestObjectSeries(t *testing.T) {
	t.Parallel()
	series, registry := newObjectSeries(), prometheus.NewPedanticRegistry()
	if err := registry.Register(series); err != nil {
		t.Fatal(err)
	}
	series.show(etl, Object{
		Provider: "oauth2", Endpoint: "auth.example.com:443", Secret: "etl-token", TokenExpiration: 1_800_003_600, NextRefresh: 1_800_002_700, Ready: true, Suspended: true,
	})
	series.show(types.NamespacedName{Namespace: "marketing", Name: "new"}, Object{TokenExpiration: 1_800_003_600, NextRefresh: 1_800_002_700, Ready: true, Suspended: true})
	series.show(types.NamespacedName{Namespace: "marketing", Name: "new"}, Object{})
	series.show(types.NamespacedName{Namespace: "marketing", Name: "gone"}, Object{Ready: true})
	series.forget(types.NamespacedName{Namespace: "marketing", Name: "gone"})
	var values []string
	for line := range strings.Lines(page(t, registry)) {
		if !strings.HasPrefix(line, "#") {
			values = append(values, line)
		}
	}
	want := []string{
		"cdpcredential_info{endpoint=\"\",name=\"new\",namespace=\"marketing\",provider=\"\",secret=\"\"} 1\n",
		"cdpcredential_info{endpoint=\"auth.example.com:443\",name=\"etl\",namespace=\"marketing\",provider=\"oauth2\",secret=\"etl-token\"} 1\n",
		"cdpcredential_next_refresh_timestamp_seconds{name=\"etl\",namespace=\"marketing\"} 1.8000027e+09\n",
		"cdpcredential_ready{name=\"etl\",namespace=\"marketing\"} 1\n",
		"cdpcredential_ready{name=\"new\",namespace=\"marketing\"} 0\n",
		"cdpcredential_suspended{name=\"etl\",namespace=\"marketing\"} 1\n",
		"cdpcredential_token_expiration_timestamp_seconds{name=\"etl\",namespace=\"marketing\"} 1.8000036e+09\n",
	}
	if diff := cmp.Diff(want, values); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// BenchmarkScrape reads the metrics of ten thousand objects.
func BenchmarkScrape(b *testing.B) {
	series, registry := newObjectSeries(), prometheus.NewRegistry()
	if err := registry.Register(series); err != nil {
		b.Fatal(err)
	}
	for i := range 10_000 {
		series.show(types.NamespacedName{Namespace: fmt.Sprintf("team-%02d", i%50), Name: fmt.Sprintf("credential-%05d", i)}, Object{TokenExpiration: 1, NextRefresh: 1, Ready: true})
	}
	b.ReportAllocs()
	for b.Loop() {
		page(b, registry)
	}
}
