package controllers

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// A LocalClock says how the local clock, which anybody may set at any moment, stands to two that nobody sets: the reconciler's own Clock, which
// counts on from the start of the process, and the API server's, which all replicas see. The times that we show are on the local clock; all that
// is decided and remembered is on the reconciler's.
type LocalClock interface {
	// Ahead is the local clock minus the reconciler's Clock.
	Ahead() time.Duration
	// Server is the API server's clock minus the local one, good to a second or so. False: not known.
	Server() (time.Duration, bool)
}

const (
	// clockNoise is how far two clocks may seem apart because they are not read at the same moment, or in whole seconds.
	clockNoise = 2 * time.Second
	// clockJump is by how much the local clock must have been set for the times on the target to be written anew. Smaller steps are within every
	// lead, and clocks are adjusted all the time.
	clockJump = 30 * time.Second
)

// localClock is what the reconciler keeps for LocalClock.
type localClock struct {
	name sync.Once
	// process tells the times that this process wrote from those of others.
	process string
	wake    chan event.GenericEvent
}

func (r *CDPCredentialReconciler) processName() string {
	r.local.name.Do(func() {
		name := make([]byte, 4)
		if _, err := r.Rand.Read(name); err == nil { // else it is as if every record were another process's
			r.local.process = hex.EncodeToString(name)
		}
	})
	return r.local.process
}

// ahead is the local clock minus Clock, in whole seconds: what is less is not worth telling, and a token that ends at a whole second is shown so.
func (r *CDPCredentialReconciler) ahead() time.Duration {
	if r.LocalClock == nil {
		return 0
	}
	return r.LocalClock.Ahead().Round(time.Second)
}

func (r *CDPCredentialReconciler) localNow() time.Time { return r.Clock.Now().Add(r.ahead()) }

// server is the API server's clock minus one that is ahead of Clock by that much. Zero: they agree, or nobody knows.
func (r *CDPCredentialReconciler) server(ahead time.Duration) time.Duration {
	if r.LocalClock == nil {
		return 0
	}
	apart, known := r.LocalClock.Server()
	apart = (apart + r.ahead() - ahead).Round(time.Second)
	if !known || apart.Abs() < clockNoise {
		return 0
	}
	return apart
}

// reading is what is kept beside times that are written on a clock that is ahead of Clock by that much.
func (r *CDPCredentialReconciler) reading(ahead time.Duration) v1alpha1.ClockReading {
	return v1alpha1.ClockReading{Process: r.processName(), AheadSeconds: int64(ahead / time.Second), ServerSeconds: int64(r.server(ahead) / time.Second)}
}

// aheadOf is by how much the clock of a reading is ahead of Clock. Of this process' own readings that is known. Another process' clock is compared by
// the API server's.
func (r *CDPCredentialReconciler) aheadOf(c v1alpha1.ClockReading) time.Duration {
	if c.Process != "" && c.Process == r.processName() {
		return time.Duration(c.AheadSeconds) * time.Second
	}
	apart := time.Duration(c.ServerSeconds)*time.Second - r.server(r.ahead())
	if apart.Abs() < clockNoise {
		apart = 0
	}
	return r.ahead() - apart
}

// localSkew is the endpoint's clock minus the local one. Zero: they agree, or nobody knows.
func (r *CDPCredentialReconciler) localSkew(life token.Life) time.Duration {
	skew := life.Skew - r.ahead()
	if !life.SkewKnown || skew.Abs() < clockNoise {
		return 0
	}
	return skew
}

// ClockChanged says that the local clock was set, or that the machine slept, so that timers are late. Every object is looked at again.
func (r *CDPCredentialReconciler) ClockChanged(ctx context.Context) error {
	all := &v1alpha1.CDPCredentialList{}
	if err := r.Client.List(ctx, all); err != nil {
		return fmt.Errorf("list all objects: %w", err)
	}
	for i := range all.Items {
		select {
		case r.local.wake <- event.GenericEvent{Object: &all.Items[i]}:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// parseRecord reads a record and puts its times on Clock.
func (r *CDPCredentialReconciler) parseRecord(text, object string) *record {
	rec := parseRecord(text, object)
	if rec == nil {
		return nil
	}
	rec.ahead = r.aheadOf(rec.Clock)
	rec.IssuedAt, rec.ExpiresAt = moved(rec.IssuedAt, -rec.ahead), moved(rec.ExpiresAt, -rec.ahead)
	return rec
}

// stamp notes on which clock the record is written.
func (r *CDPCredentialReconciler) stamp(rec *record) {
	rec.ahead = r.ahead()
	rec.Clock = r.reading(rec.ahead)
}

// shown is by how much the clock on which times are shown is ahead of Clock: the one that the target was written on, until the local clock was set by
// so much that it is written anew.
func (v *view) shown() time.Duration {
	if rec := v.held.rec; rec != nil && !rec.ExpiresAt.IsZero() && !v.clockJumped() {
		return rec.ahead
	}
	return v.ahead
}

// clockJumped reports whether the local clock was set by so much that what the target says of its token is wrong.
func (v *view) clockJumped() bool {
	rec := v.held.rec
	return rec != nil && !rec.ExpiresAt.IsZero() && (v.ahead-rec.ahead).Abs() >= clockJump
}

// adoptStatus puts the times of status on Clock.
func (r *CDPCredentialReconciler) adoptStatus(v *view) {
	v.statusAhead = v.shown()
	last, rec := v.obj.Status.LastAttempt, v.held.rec
	switch {
	case last != nil && last.Clock != nil:
		v.statusAhead = r.aheadOf(*last.Clock)
	case rec != nil && !rec.ExpiresAt.IsZero() && v.obj.Status.TokenExpirationTime.Equal(wholeSecond(rec.shownExpiry())):
		v.statusAhead = rec.ahead // both were written on one clock, however far that is off by now
	}
	moveStatus(&v.obj.Status, -v.statusAhead)
}

// localStatus is status with its times on the local clock.
func (r *CDPCredentialReconciler) localStatus(v *view, status v1alpha1.CDPCredentialStatus) v1alpha1.CDPCredentialStatus {
	shown := v.shown()
	moveStatus(&status, shown)
	if last := status.LastAttempt; last != nil && (last.Clock == nil || shown != v.statusAhead) {
		attempt, reading := *last, r.reading(shown)
		attempt.Clock = &reading
		status.LastAttempt = &attempt
	}
	return status
}

// moveStatus moves the times that passes decide by and change.
func moveStatus(status *v1alpha1.CDPCredentialStatus, by time.Duration) {
	if by == 0 {
		return
	}
	for _, t := range []**metav1.Time{&status.NextRefreshTime, &status.LastRefreshTime, &status.TokenExpirationTime, &status.RepeatedUntil} {
		if *t != nil {
			*t = new(metav1.NewTime((*t).Add(by)))
		}
	}
	if last := status.LastAttempt; last != nil && last.Time != nil {
		attempt := *last
		attempt.Time = new(metav1.NewTime(last.Time.Add(by)))
		status.LastAttempt = &attempt
	}
	if c := status.Contest; c != nil {
		status.Contest = &v1alpha1.Contest{Repairs: c.Repairs, Until: metav1.NewTime(c.Until.Add(by))}
	}
	early := status.EarlyAttempts
	status.EarlyAttempts = nil
	for _, t := range early {
		status.EarlyAttempts = append(status.EarlyAttempts, metav1.NewTime(t.Add(by)))
	}
}

// moved is t moved; zero stays zero.
func moved(t time.Time, by time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(by)
}
