// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

var etl = types.NamespacedName{Namespace: "marketing", Name: "etl"}

// scraped are the series of a registry, one a line; of a histogram the count and the sum.
func scraped(t *testing.T, registry *prometheus.Registry) []string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, family := range families {
		for _, series := range family.GetMetric() {
			var labels []string
			for _, label := range series.GetLabel() {
				labels = append(labels, label.GetName()+"="+label.GetValue())
			}
			value := fmt.Sprint(series.GetGauge().GetValue() + series.GetCounter().GetValue())
			if h := series.GetHistogram(); h != nil {
				value = fmt.Sprintf("%d of %v", h.GetSampleCount(), h.GetSampleSum())
			}
			lines = append(lines, fmt.Sprintf("%s{%s} %s", family.GetName(), strings.Join(labels, ","), value))
		}
	}
	return lines
}

func newMetrics(t *testing.T) (*Metrics, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := New(registry)
	if err != nil {
		t.Fatal(err)
	}
	return m, registry
}

// TestMetrics: the names and labels that dashboards are built on, and that an object's series go with it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	m.Exchanged("oauth2", Success, "TokenIssued", 250*time.Millisecond)
	m.Exchanged("oauth2", Failure, "CredentialsRejected", 500*time.Millisecond)
	m.Blocked("paused")
	m.Blocked("paused")
	m.PodRefreshed(1500 * time.Millisecond)
	m.Restarted("")
	m.Restarted("WorkloadNotFound")
	m.Issued(etl, Issued{Endpoint: "auth.example.com:443", Skew: -3 * time.Second, Margin: 90 * time.Second, Lateness: 2 * time.Second})
	m.Observe(etl, Object{
		Provider: "oauth2", Endpoint: "auth.example.com:443", Secret: "etl-token", TokenExpiration: 1_772_366_400, NextRefresh: 1_772_365_319, Ready: true,
	})
	want := []string{
		"cdpcredential_clock_skew_seconds{endpoint=auth.example.com:443} -3",
		"cdpcredential_endpoint_blocked_total{reason=paused} 2",
		"cdpcredential_exchange_duration_seconds{provider=oauth2} 2 of 0.75",
		"cdpcredential_exchanges_total{provider=oauth2,reason=CredentialsRejected,result=failure} 1",
		"cdpcredential_exchanges_total{provider=oauth2,reason=TokenIssued,result=success} 1",
		"cdpcredential_info{endpoint=auth.example.com:443,name=etl,namespace=marketing,provider=oauth2,secret=etl-token} 1",
		"cdpcredential_next_refresh_timestamp_seconds{name=etl,namespace=marketing} 1.772365319e+09",
		"cdpcredential_pod_refresh_seconds{} 1 of 1.5",
		"cdpcredential_ready{name=etl,namespace=marketing} 1",
		"cdpcredential_refresh_lateness_seconds{} 1 of 2",
		"cdpcredential_refresh_margin_seconds{} 1 of 90",
		"cdpcredential_rollout_restarts_total{reason=WorkloadNotFound,result=failure} 1",
		"cdpcredential_rollout_restarts_total{reason=WorkloadRestarted,result=success} 1",
		"cdpcredential_token_expiration_timestamp_seconds{name=etl,namespace=marketing} 1.7723664e+09",
	}
	if diff := cmp.Diff(want, scraped(t, registry)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	m.Forget(etl)
	want = slices.DeleteFunc(want, func(line string) bool {
		return strings.Contains(line, "name=etl") || strings.Contains(line, "endpoint=")
	})
	if diff := cmp.Diff(want, scraped(t, registry)); diff != "" {
		t.Errorf("once the object is gone, -want +got:\n%s", diff)
	}
}

// TestBuildInfo names the version, and Go's.
func TestBuildInfo(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	if err := RegisterBuildInfo(registry, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	want := []string{"cdpcredential_build_info{go_version=" + runtime.Version() + ",version=v1.2.3} 1"}
	if diff := cmp.Diff(want, scraped(t, registry)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMetricsMargin: a first token has no margin, and what was not late is not observed as zero.
func TestMetricsMargin(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	m.Issued(etl, Issued{Margin: -1, Lateness: -1})
	m.Issued(etl, Issued{Margin: 0, Lateness: 0})
	for _, want := range []string{"cdpcredential_refresh_lateness_seconds{} 1 of 0", "cdpcredential_refresh_margin_seconds{} 1 of 0"} {
		if got := scraped(t, registry); !slices.Contains(got, want) {
			t.Errorf("%s is not in %q", want, got)
		}
	}
}

// TestMetricsSkew: an endpoint's series goes with the last of its objects.
func TestMetricsSkew(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	issued := func(name, endpoint string, skew time.Duration) {
		m.Issued(types.NamespacedName{Namespace: "marketing", Name: name}, Issued{Endpoint: endpoint, Skew: skew, Margin: -1, Lateness: -1})
	}
	skews := func() (lines []string) {
		for _, line := range scraped(t, registry) {
			if rest, ok := strings.CutPrefix(line, "cdpcredential_clock_skew_seconds"); ok {
				lines = append(lines, rest)
			}
		}
		return lines
	}
	issued("a", "x.example.com:443", time.Second)
	issued("b", "x.example.com:443", 2*time.Second)
	issued("b", "x.example.com:443", 3*time.Second)
	issued("c", "y.example.com:443", 0)
	if diff := cmp.Diff([]string{"{endpoint=x.example.com:443} 3", "{endpoint=y.example.com:443} 0"}, skews()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	m.Forget(types.NamespacedName{Namespace: "marketing", Name: "a"})
	issued("c", "z.example.com:443", -time.Second)
	if diff := cmp.Diff([]string{"{endpoint=x.example.com:443} 3", "{endpoint=z.example.com:443} -1"}, skews()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	m.Forget(types.NamespacedName{Namespace: "marketing", Name: "b"})
	m.Forget(types.NamespacedName{Namespace: "marketing", Name: "b"})
	m.Forget(types.NamespacedName{Namespace: "marketing", Name: "c"})
	if got := skews(); got != nil {
		t.Errorf("got %q", got)
	}
}

// TestNewRefusesASecondSetInOneRegistry: two sets in one registry are an error and no panic.
func TestNewRefusesASecondSetInOneRegistry(t *testing.T) {
	t.Parallel()
	_, registry := newMetrics(t)
	if _, err := New(registry); err == nil {
		t.Error("got no error")
	}
}
