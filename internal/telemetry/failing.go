// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
)

// failing is a metric with what is wrong with each object, for alerts. An object has at most two series, one for its refresh and one for its
// verification, and none while it is healthy.
type failing struct {
	gauge *prometheus.GaugeVec

	mu sync.Mutex
	// shown are the existing series by object: searching the gauge for them would take longer the more objects fail.
	shown map[types.NamespacedName][]FailingCondition
}

func newFailing() *failing {
	return &failing{
		gauge: gauges("failing", "1 while something is wrong with an object, by condition (Stalled, Reconciling; Verified while it is False) and reason.",
			[]string{"namespace", "name", "condition", "reason"}),
		shown: map[types.NamespacedName][]FailingCondition{},
	}
}

// show sets an object's series. No conditions removes them all.
func (f *failing) show(name types.NamespacedName, conditions []FailingCondition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.shown[name] {
		if !slices.Contains(conditions, c) {
			f.gauge.DeleteLabelValues(name.Namespace, name.Name, c.Condition, c.Reason)
		}
	}
	if len(conditions) == 0 {
		delete(f.shown, name)
		return
	}
	for _, c := range conditions {
		f.gauge.WithLabelValues(name.Namespace, name.Name, c.Condition, c.Reason).Set(1)
	}
	f.shown[name] = conditions
}
