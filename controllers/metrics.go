package controllers

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
)

// Metrics are the operator's own, all with the prefix cdpcredential_.
type Metrics struct {
	objects          *objectSeries
	exchanges        *prometheus.CounterVec
	duration         *prometheus.HistogramVec
	margin, lateness prometheus.Histogram
	blockedTotal     *prometheus.CounterVec
	restarts         *prometheus.CounterVec
	skew             *prometheus.GaugeVec
	failing          *failing

	mu sync.Mutex
	// endpoints are those of the objects, users how many objects each has: the series of one that has none goes.
	endpoints map[types.NamespacedName]string
	users     map[string]int
}

// NewMetrics makes the metrics and registers them.
func NewMetrics(registry prometheus.Registerer) (*Metrics, error) {
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
			Name: "cdpcredential_refresh_margin_seconds", Help: "What the token before had left when a new one was published.",
			Buckets: []float64{0, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 6 * 3600, 24 * 3600},
		}),
		lateness: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cdpcredential_refresh_lateness_seconds", Help: "How long after its renewal time a token was renewed.",
			Buckets: []float64{.01, .1, .5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600},
		}),
		blockedTotal: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cdpcredential_endpoint_blocked_total", Help: "How often an attempt had to wait for its endpoint, by reason.",
		}, []string{"reason"}),
		restarts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cdpcredential_rollout_restarts_total", Help: "Attempts to restart a workload of spec.rolloutRestart, by result (success, failure) and reason.",
		}, []string{"result", "reason"}),
		skew:    gauges("clock_skew_seconds", "The endpoint's clock minus the operator's, as of the last token.", []string{"endpoint"}),
		failing: newFailing(),
	}
	for _, c := range []prometheus.Collector{m.objects, m.exchanges, m.duration, m.margin, m.lateness, m.blockedTotal, m.restarts, m.skew, m.failing.gauge} {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func gauges(name, help string, labels []string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "cdpcredential_" + name, Help: help}, labels)
}

func (m *Metrics) exchanged(provider string, did action, took time.Duration, err error) {
	result, reason := exchangeResult(did, err)
	m.exchanges.WithLabelValues(provider, result, reason).Inc()
	m.duration.WithLabelValues(provider).Observe(took.Seconds())
}

// rolledOut tells of a restart; the reason is empty if it worked.
func (m *Metrics) rolledOut(reason string) {
	if reason == "" {
		m.restarts.WithLabelValues("success", v1alpha1.EventWorkloadRestarted).Inc()
		return
	}
	m.restarts.WithLabelValues("failure", reason).Inc()
}

func (m *Metrics) blocked(reason string) { m.blockedTotal.WithLabelValues(reason).Inc() }

func (m *Metrics) observe(v *view, status *v1alpha1.CDPCredentialStatus) {
	name, state := types.NamespacedName{Namespace: v.obj.Namespace, Name: v.obj.Name}, objectState{}
	if t := status.TokenExpirationTime; t != nil {
		state.expires = t.Unix()
	}
	if t := status.NextRefreshTime; t != nil {
		state.next = t.Unix()
	}
	state.suspended = v.obj.Spec.Suspend
	state.objectInfo = objectInfo{provider: v.intent.flow.Provider, secret: v.obj.Spec.Target.Name}
	if v.intent.endpoint != (egress.Endpoint{}) {
		state.endpoint = slimcache.Intern(v.intent.endpoint.String())
	}
	state.ready = meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)
	m.objects.show(name, state)
	m.failing.show(name, troublesOf(status.Conditions))
}

// issued tells of a new token.
func (m *Metrics) issued(v *view, out outcome) {
	endpoint := v.intent.endpoint.String()
	m.uses(types.NamespacedName{Namespace: v.obj.Namespace, Name: v.obj.Name}, endpoint)
	m.skew.WithLabelValues(endpoint).Set(out.skew.Seconds())
	if out.margin >= 0 {
		m.margin.Observe(out.margin.Seconds())
	}
	if out.lateness >= 0 {
		m.lateness.Observe(out.lateness.Seconds())
	}
}

func (m *Metrics) forget(name types.NamespacedName) {
	m.objects.forget(name)
	m.failing.show(name, nil)
	m.uses(name, "")
}

// uses says which endpoint an object has; an empty one says that it has none any more.
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

// reasonOf is failureOf's reason, where there is no object to fail.
func reasonOf(err error) string {
	if f := failureOf(&view{obj: &v1alpha1.CDPCredential{}}, err, 0); f != nil {
		return f.reason
	}
	return v1alpha1.ReasonEndpointUnavailable
}
