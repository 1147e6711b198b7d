package controllers

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// minStep is the least step of the clock that matters. Smaller ones are within every lead, and clocks are adjusted all the time.
const minStep = 2 * time.Second

// clockSteps knows by how much the local clock was set while this process ran. The times that it wrote down before are on the clock of
// then: without this a clock that is set back would have a pod read an expired token for as long.
type clockSteps struct {
	total atomic.Int64 // nanoseconds, forward positive
	wake  chan event.GenericEvent
}

// ClockStepped says that the local clock was set by step, or that the machine slept, in which case step is zero and all timers are late.
// Every object is looked at again.
func (r *CDPCredentialReconciler) ClockStepped(ctx context.Context, step time.Duration) error {
	if step.Abs() >= minStep {
		r.steps.total.Add(int64(step))
	}
	all := &v1alpha1.CDPCredentialList{}
	if err := r.Client.List(ctx, all); err != nil {
		return fmt.Errorf("list all objects: %w", err)
	}
	for i := range all.Items {
		select {
		case r.steps.wake <- event.GenericEvent{Object: &all.Items[i]}:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// sinceWritten is by how much the clock was set since the object's record was written, or since this process began.
func (r *CDPCredentialReconciler) sinceWritten(mem *remembered) time.Duration {
	return r.stepped() - mem.clock
}

func (r *CDPCredentialReconciler) stepped() time.Duration { return time.Duration(r.steps.total.Load()) }

// shifted is the record with its times on the clock of now.
func (rec *record) shifted(step time.Duration) *record {
	if rec == nil || step == 0 || rec.ExpiresAt.IsZero() {
		return rec
	}
	on := *rec
	on.IssuedAt, on.ExpiresAt = rec.IssuedAt.Add(step), rec.ExpiresAt.Add(step)
	return &on
}

// settleClock says that what was written down is on the clock of now again: the target was written, or holds nothing that a clock matters to.
func (r *CDPCredentialReconciler) settleClock(v *view, mem *remembered, out outcome) {
	if v.step == 0 || !out.wrote && v.held.holds(v.now) {
		return
	}
	mem.clock += v.step
	v.stepSettled = true
}
