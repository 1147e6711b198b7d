// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"k8s.io/apimachinery/pkg/types"
)

// An objectSeries collects the gauges of each object. It keeps a few words per object where a GaugeVec keeps a kilobyte, and builds the series when
// they are scraped.
type objectSeries struct {
	expiration, nextRefresh, ready, suspended, info *prometheus.Desc

	mu sync.Mutex
	of map[types.NamespacedName]Object
}

func newObjectSeries() *objectSeries {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("cdpcredential_"+name, help, append([]string{namespaceLabel, nameLabel}, labels...), nil)
	}
	return &objectSeries{
		of:          map[types.NamespacedName]Object{},
		expiration:  desc("token_expiration_timestamp_seconds", "When the token in the target Secret expires."),
		nextRefresh: desc("next_refresh_timestamp_seconds", "When the next attempt is due."),
		ready:       desc("ready", "1 if the target Secret holds an unexpired token, else 0."),
		suspended:   desc("suspended", "1 while the object is suspended by spec.suspend."),
		info:        desc("info", "Always 1: the object's provider, the endpoint that it calls, and its target Secret.", providerLabel, endpointLabel, secretLabel),
	}
}

func (s *objectSeries) show(name types.NamespacedName, object Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[name] = object
}

func (s *objectSeries) forget(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, name)
}

// Describe implements prometheus.Collector.
func (s *objectSeries) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- s.expiration
	descriptions <- s.nextRefresh
	descriptions <- s.ready
	descriptions <- s.suspended
	descriptions <- s.info
}

// Collect implements prometheus.Collector. Reconciles do not wait for a slow scrape.
func (s *objectSeries) Collect(series chan<- prometheus.Metric) {
	type named struct {
		types.NamespacedName
		Object
	}
	s.mu.Lock()
	all := make([]named, 0, len(s.of))
	for name, object := range s.of {
		all = append(all, named{name, object})
	}
	s.mu.Unlock()
	for _, o := range all {
		labels := []*dto.LabelPair{{Name: &nameLabel, Value: &o.Name}, {Name: &namespaceLabel, Value: &o.Namespace}} // in the order of their names
		gauge := func(desc *prometheus.Desc, value float64) { series <- &objectGauge{desc, labels, value} }
		if o.TokenExpiration != 0 {
			gauge(s.expiration, float64(o.TokenExpiration))
		}
		if o.NextRefresh != 0 {
			gauge(s.nextRefresh, float64(o.NextRefresh))
		}
		ready := 0.0
		if o.Ready {
			ready = 1
		}
		gauge(s.ready, ready)
		if o.Suspended {
			gauge(s.suspended, 1)
		}
		series <- &objectGauge{s.info, []*dto.LabelPair{
			{Name: &endpointLabel, Value: &o.Endpoint}, labels[0], labels[1], {Name: &providerLabel, Value: &o.Provider}, {Name: &secretLabel, Value: &o.Secret},
		}, 1}
	}
}

// The labels of an object's gauges.
var namespaceLabel, nameLabel, providerLabel, endpointLabel, secretLabel = "namespace", "name", "provider", "endpoint", "secret"

// An objectGauge is one series of one object. The series of an object share their labels, which Prometheus' own constant metrics would build anew for
// each: half of the cost of scraping ten thousand objects.
type objectGauge struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	value  float64
}

// Desc implements prometheus.Metric.
func (g *objectGauge) Desc() *prometheus.Desc { return g.desc }

// Write implements prometheus.Metric.
func (g *objectGauge) Write(out *dto.Metric) error {
	out.Label, out.Gauge = g.labels, &dto.Gauge{Value: &g.value}
	return nil
}
