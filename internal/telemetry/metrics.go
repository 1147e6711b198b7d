// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

// Metrics are the operator's own metrics, with the prefix cdpcredential_. Create them with New. All methods are safe for concurrent use.
type Metrics struct {
	objects          *objectSeries
	exchanges        *prometheus.CounterVec
	duration         *prometheus.HistogramVec
	margin, lateness prometheus.Histogram
	podRefresh       prometheus.Histogram
	blocked          *prometheus.CounterVec
	restarts         *prometheus.CounterVec
	skew             *prometheus.GaugeVec
	failing          *failing

	mu sync.Mutex
	// endpoints has the endpoint of each object, users the number of objects of each endpoint: the series of an endpoint without objects is deleted.
	endpoints map[types.NamespacedName]string
	users     map[string]int
}

// Results of an attempt.
const (
	Success = "success"
	Failure = "failure"
)

// New creates and registers the metrics. Two sets in one registry are an error.
func New(registry prometheus.Registerer) (*Metrics, error) {
	m := &Metrics{
		endpoints: map[types.NamespacedName]string{}, users: map[string]int{},
		objects: newObjectSeries(),
		exchanges: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cdpcredential_exchanges_total", Help: "Attempts to get a token, by provider, result (success, failure) and reason.",
		}, []string{"provider", "result", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cdpcredential_exchange_duration_seconds", Help: "How long an attempt to get a token took.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15},
		}, []string{"provider"}),
		margin: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cdpcredential_refresh_margin_seconds", Help: "Remaining lifetime of the old token when the new one was published.",
			Buckets: []float64{0, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 6 * 3600, 24 * 3600},
		}),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cdpcredential_refresh_lateness_seconds", Help: "How long after its renewal time a token was renewed.",
			Buckets: []float64{.01, .1, .5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600},
		}),
		podRefresh: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cdpcredential_pod_refresh_seconds", Help: "How long after a write of a target Secret a pod that mounts it was told of that.",
			Buckets: []float64{.1, .2, .3, .5, 1, 1.5, 2, 3, 5, 10, 30},
		}),
		blocked: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cdpcredential_endpoint_blocked_total", Help: "How often an attempt had to wait for its endpoint, by reason.",
		}, []string{"reason"}),
		restarts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cdpcredential_rollout_restarts_total", Help: "Attempts to restart a workload of spec.rolloutRestart, by result (success, failure) and reason.",
		}, []string{"result", "reason"}),
		skew:    gauges("clock_skew_seconds", "The endpoint's clock minus the operator's, as of the last token.", []string{"endpoint"}),
		failing: newFailing(),
	}
	for _, c := range []prometheus.Collector{m.objects, m.exchanges, m.duration, m.margin, m.lateness, m.podRefresh, m.blocked, m.restarts, m.skew, m.failing.gauge} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Exchanged counts an attempt to get a token, and its duration. result is Success or Failure; reason must come from a closed set, since it is a label.
func (m *Metrics) Exchanged(provider, result, reason string, took time.Duration) {
	m.exchanges.WithLabelValues(provider, result, reason).Inc()
	m.duration.WithLabelValues(provider).Observe(took.Seconds())
}

// Restarted counts an attempt to restart a workload. reason is why it failed. Empty: it succeeded.
func (m *Metrics) Restarted(reason string) {
	if reason == "" {
		m.restarts.WithLabelValues(Success, workloadRestarted).Inc()
		return
	}
	m.restarts.WithLabelValues(Failure, reason).Inc()
}

// PodRefreshed tells how long after a write of its Secret a pod was told of it.
func (m *Metrics) PodRefreshed(after time.Duration) { m.podRefresh.Observe(after.Seconds()) }

// workloadRestarted is the reason of a successful restart.
const workloadRestarted = "WorkloadRestarted"

// Blocked counts an attempt that has to wait for its endpoint, by the gate's reason.
func (m *Metrics) Blocked(reason string) { m.blocked.WithLabelValues(reason).Inc() }

// Observe sets an object's series.
func (m *Metrics) Observe(name types.NamespacedName, object Object) {
	m.objects.show(name, object)
	m.failing.show(name, object.Failing)
}

// Issued describes a new token.
type Issued struct {
	// Endpoint is the host and port that issued it, never empty. Its series is deleted with the last object whose last token came from it.
	Endpoint string
	// Skew is the endpoint's clock minus the operator's.
	Skew time.Duration
	// Margin is the remaining lifetime of the previous token, and Lateness how long after its renewal time it was renewed. Negative: there was no such
	// token or time, so nothing is observed. Zero is observed.
	Margin, Lateness time.Duration
}

// Issued records a new token of an object.
func (m *Metrics) Issued(name types.NamespacedName, token Issued) {
	m.uses(name, token.Endpoint)
	m.skew.WithLabelValues(token.Endpoint).Set(token.Skew.Seconds())
	if token.Margin >= 0 {
		m.margin.Observe(token.Margin.Seconds())
	}
	if token.Lateness >= 0 {
		m.lateness.Observe(token.Lateness.Seconds())
	}
}

// Forget deletes all series of an object. An unknown object is not an error.
func (m *Metrics) Forget(name types.NamespacedName) {
	m.objects.forget(name)
	m.failing.show(name, nil)
	m.uses(name, "")
}

// uses sets an object's endpoint. Empty: it has none any more.
func (m *Metrics) uses(name types.NamespacedName, endpoint string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.endpoints[name]
	if was == endpoint {
		return
	}
	if was != "" {
		if m.users[was]--; m.users[was] == 0 {
			delete(m.users, was)
			m.skew.DeleteLabelValues(was)
		}
	}
	if endpoint == "" {
		delete(m.endpoints, name)
		return
	}
	m.endpoints[name] = endpoint
	m.users[endpoint]++
}
