package controllers

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// failing is the metric that says what is wrong with each object, for alerts to name. An object has at most two series, one of its refresh
// and one of its verification, and none while all is well.
type failing struct {
	gauge *prometheus.GaugeVec

	mu sync.Mutex
	// shown are the series that there are: to look for an object's among all others' would take longer the more of them fail.
	shown map[types.NamespacedName][]trouble
}

// trouble is what is wrong: a condition, and its reason.
type trouble struct{ condition, reason string }

func newFailing() *failing {
	return &failing{
		gauge: gauges("failing", "1 while something is wrong with an object, by condition (Stalled, Reconciling; Verified while it is False) and reason.",
			[]string{"namespace", "name", "condition", "reason"}),
		shown: map[types.NamespacedName][]trouble{},
	}
}

// troublesOf are the conditions that say that something is wrong. Suspension is no trouble.
func troublesOf(conditions []metav1.Condition) []trouble {
	var list []trouble
	for _, kind := range []string{v1alpha1.ConditionStalled, v1alpha1.ConditionReconciling} {
		if c := meta.FindStatusCondition(conditions, kind); c != nil && c.Status == metav1.ConditionTrue {
			list = append(list, trouble{condition: kind, reason: c.Reason})
		}
	}
	if c := meta.FindStatusCondition(conditions, v1alpha1.ConditionVerified); c != nil && c.Status == metav1.ConditionFalse {
		list = append(list, trouble{condition: c.Type, reason: c.Reason})
	}
	return list
}

// show makes an object's series those of these troubles. None takes them all away.
func (f *failing) show(name types.NamespacedName, troubles []trouble) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.shown[name] {
		if !slices.Contains(troubles, t) {
			f.gauge.DeleteLabelValues(name.Namespace, name.Name, t.condition, t.reason)
		}
	}
	if len(troubles) == 0 {
		delete(f.shown, name)
		return
	}
	for _, t := range troubles {
		f.gauge.WithLabelValues(name.Namespace, name.Name, t.condition, t.reason).Set(1)
	}
	f.shown[name] = troubles
}
