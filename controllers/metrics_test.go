package controllers

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

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
	m, err := NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	return m, registry
}

// TestMetrics: the names and labels that dashboards are built on, and that an object's series go with it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	m, registry := newMetrics(t)
	m.exchanged("oauth2", issue, 250*time.Millisecond, nil)
	m.exchanged("oauth2", issue, 500*time.Millisecond, rejected())
	m.blocked("paused")
	m.blocked("paused")
	m.rolledOut("")
	m.rolledOut("WorkloadNotFound")
	v := steady()
	status := report(v, step{}, outcome{}, nil)
	m.issued(v, outcome{issued: true, skew: -3 * time.Second, margin: 90 * time.Second, lateness: 2 * time.Second})
	m.observe(v, &status)
	want := []string{
		"cdpcredential_clock_skew_seconds{endpoint=auth.example.com:443} -3",
		"cdpcredential_endpoint_blocked_total{reason=paused} 2",
		"cdpcredential_exchange_duration_seconds{provider=oauth2} 2 of 0.75",
		"cdpcredential_exchanges_total{provider=oauth2,reason=CredentialsRejected,result=failure} 1",
		"cdpcredential_exchanges_total{provider=oauth2,reason=TokenIssued,result=success} 1",
		"cdpcredential_info{endpoint=auth.example.com:443,name=etl,namespace=marketing,provider=oauth2,secret=etl-token} 1",
		"cdpcredential_next_refresh_timestamp_seconds{name=etl,namespace=marketing} 1.772365319e+09",
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

	m.forget(types.NamespacedName{Namespace: "marketing", Name: "etl"})
	want = slices.DeleteFunc(want, func(line string) bool {
		return strings.Contains(line, "name=etl") || strings.Contains(line, "endpoint=")
	})
	if diff := cmp.Diff(want, scraped(t, registry)); diff != "" {
		t.Errorf("once the object is gone, -want +got:\n%s", diff)
	}
}

// TestMetricsOfAState: what is not known has no series.
func TestMetricsOfAState(t *testing.T) {
	t.Parallel()
	const (
		expires = "cdpcredential_token_expiration_timestamp_seconds{name=etl,namespace=marketing} 1.7723664e+09"
		next    = "cdpcredential_next_refresh_timestamp_seconds{name=etl,namespace=marketing} 1.772365319e+09"
		ready   = "cdpcredential_ready{name=etl,namespace=marketing} 1"
		unready = "cdpcredential_ready{name=etl,namespace=marketing} 0"
		info    = "cdpcredential_info{endpoint=auth.example.com:443,name=etl,namespace=marketing,provider=oauth2,secret=etl-token} 1"
		noInfo  = "cdpcredential_info{endpoint=,name=etl,namespace=marketing,provider=basic,secret=etl-token} 1"
		asleep  = "cdpcredential_suspended{name=etl,namespace=marketing} 1"
		stuck   = "cdpcredential_failing{condition=Stalled,name=etl,namespace=marketing,reason=SecretNotFound} 1"
	)
	tests := map[string]struct {
		given func(*view)
		want  []string
	}{
		"all is well":      {func(*view) {}, []string{info, next, ready, expires}},
		"expired":          {func(v *view) { v.now = at("12:00:00"); v.client = clientView{} }, []string{stuck, info, unready, expires}},
		"no token":         {func(v *view) { missing(v); v.client = clientView{} }, []string{stuck, info, unready}},
		"suspended":        {suspended, []string{info, ready, asleep, expires}},
		"basic":            {basic, []string{noInfo, ready}},
		"no client Secret": {func(v *view) { v.client = clientView{} }, []string{stuck, info, ready, expires}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, registry := newMetrics(t)
			v := steady()
			well := report(v, step{}, outcome{}, nil)
			m.observe(v, &well)
			tc.given(v)
			_, _, status := pass(t, v, rejected())
			m.observe(v, &status)
			var got []string
			for _, line := range scraped(t, registry) {
				if strings.Contains(line, "name=etl") {
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
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
	v := steady()
	m.issued(v, outcome{issued: true, margin: -1, lateness: -1})
	m.issued(v, outcome{issued: true, margin: 0, lateness: 0})
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
	observe := func(name, url string, skew time.Duration) {
		v := steady()
		v.obj.Name = name
		provide(v, apsisAt(v1alpha1.HTTPSURL(url)))
		m.issued(v, outcome{issued: true, skew: skew, margin: -1, lateness: -1})
	}
	skews := func() (lines []string) {
		for _, line := range scraped(t, registry) {
			if rest, ok := strings.CutPrefix(line, "cdpcredential_clock_skew_seconds"); ok {
				lines = append(lines, rest)
			}
		}
		return lines
	}
	observe("a", "https://x.example.com", time.Second)
	observe("b", "https://x.example.com", 2*time.Second)
	observe("b", "https://x.example.com", 3*time.Second)
	observe("c", "https://y.example.com", 0)
	if diff := cmp.Diff([]string{"{endpoint=x.example.com:443} 3", "{endpoint=y.example.com:443} 0"}, skews()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	m.forget(types.NamespacedName{Namespace: "marketing", Name: "a"})
	observe("c", "https://z.example.com", -time.Second)
	if diff := cmp.Diff([]string{"{endpoint=x.example.com:443} 3", "{endpoint=z.example.com:443} -1"}, skews()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	m.forget(types.NamespacedName{Namespace: "marketing", Name: "b"})
	m.forget(types.NamespacedName{Namespace: "marketing", Name: "b"})
	m.forget(types.NamespacedName{Namespace: "marketing", Name: "c"})
	if got := skews(); got != nil {
		t.Errorf("got %q", got)
	}
}

// TestReasonOf is a label: one of a closed set, whatever the error says.
func TestReasonOf(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"outage":        {unavailable(), "EndpointUnavailable"},
		"refused":       {rejected(), "CredentialsRejected"},
		"throttled":     {&exchange.Error{Kind: exchange.Throttled}, "Throttled"},
		"malformed":     {&exchange.Error{Kind: exchange.Malformed}, "MalformedResponse"},
		"key":           {&exchange.Error{Kind: exchange.InvalidKey}, "SecretKeyInvalid"},
		"request":       {&exchange.Error{Kind: exchange.InvalidRequest}, "InvalidSpec"},
		"unsupported":   {&exchange.Error{Kind: exchange.Unsupported}, "InvalidSpec"},
		"address":       {&exchange.Error{Cause: refusedAddress()}, "EndpointRefused"},
		"any other one": {errors.New("read /proc/s3cret"), "EndpointUnavailable"},
	} {
		if got := reasonOf(tc.err); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

// TestNewMetricsTwice: two sets in one registry are an error and no panic.
func TestNewMetricsTwice(t *testing.T) {
	t.Parallel()
	_, registry := newMetrics(t)
	if _, err := NewMetrics(registry); err == nil {
		t.Error("got no error")
	}
}
