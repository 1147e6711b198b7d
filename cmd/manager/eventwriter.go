// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record/util"
	"k8s.io/client-go/tools/reference"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const (
	// eventWriters is the number of concurrent writers, so that events keep up with the reconciles that record them; eventQueue is how many may wait.
	eventWriters = 16
	eventQueue   = 2000
	// eventAttempts is how often an event is tried, with a growing pause that starts at eventPause.
	eventAttempts = 5
	eventPause    = time.Second
	eventTimeout  = 5 * time.Second
	// lastEvents is how long pending events may delay the end of the process, because the next leader waits for the Lease.
	lastEvents = 2 * time.Second
)

// An eventWriter is an events.EventRecorder that creates each event with one request. client-go's recorder keeps every event for six to twelve
// minutes, to count repetitions; ours never repeat, because each refers to another version of its object, and ten thousand of them take as much
// memory as all objects. It must be added to the manager.
type eventWriter struct {
	client   client.Client
	clock    clock.PassiveClock
	instance string
	queue    chan *eventsv1.Event
}

// newEventWriter returns a writer that uses c only to create events.
func newEventWriter(c client.Client) *eventWriter {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // only for human readers
	}
	return &eventWriter{client: c, clock: clock.RealClock{}, instance: v1alpha1.ManagedBy + "-" + host, queue: make(chan *eventsv1.Event, eventQueue)}
}

// Eventf implements events.EventRecorder. It never blocks: if the queue is full, the event is dropped.
func (w *eventWriter) Eventf(regarding, related runtime.Object, kind, reason, action, note string, args ...any) {
	event := &eventsv1.Event{
		EventTime: metav1.NewMicroTime(w.clock.Now()), ReportingController: v1alpha1.ManagedBy, ReportingInstance: w.instance,
		Action: action, Reason: reason, Type: kind, Note: fmt.Sprintf(note, args...),
	}
	about, err := reference.GetReference(w.client.Scheme(), regarding)
	if err != nil {
		ctrl.Log.WithName("events").Error(err, "Failed to make the reference of an event", "reason", reason)
		return
	}
	event.Regarding = *about
	event.Namespace, event.Name = about.Namespace, util.GenerateEventName(about.Name, w.clock.Now().UnixNano())
	if related != nil {
		if event.Related, err = reference.GetReference(w.client.Scheme(), related); err != nil {
			ctrl.Log.WithName("events").Error(err, "Failed to make the related reference of an event", "reason", reason)
		}
	}
	select {
	case w.queue <- event:
	default:
		ctrl.Log.WithName("events").Info("Dropped an event: too many are waiting to be written", "namespace", event.Namespace, "name", about.Name, "reason", reason)
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: events that a leader recorded are written even if it leads no more.
func (w *eventWriter) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable. When ctx ends, the controller has ended already, and pending events are written unless that takes too long.
func (w *eventWriter) Start(ctx context.Context) error {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastEvents, cancel) })()
	var writers sync.WaitGroup
	for range eventWriters {
		writers.Go(func() { w.write(ctx, last) })
	}
	writers.Wait()
	return nil
}

// write writes events until ctx has ended and none is left, or until last has ended, too.
func (w *eventWriter) write(ctx, last context.Context) {
	for {
		select {
		case event := <-w.queue:
			w.create(ctx, last, event)
			continue
		case <-ctx.Done():
		}
		select {
		case event := <-w.queue:
			if !w.create(ctx, last, event) {
				return
			}
		default:
			return
		}
	}
}

// create tries to create an event until the API server accepts or refuses it. It returns false if neither happened before ctx ended.
func (w *eventWriter) create(ctx, last context.Context, event *eventsv1.Event) bool {
	log := ctrl.LoggerFrom(ctx).WithName("events").WithValues("namespace", event.Namespace, "reason", event.Reason)
	pause := eventPause
	for attempt := 1; ; attempt++ {
		err := w.try(last, event)
		switch {
		case last.Err() != nil:
			return false
		case err == nil || apierrors.IsAlreadyExists(err): // the response to an earlier attempt was lost
			return true
		case refused(err):
			log.Error(err, "The API server refused an event")
			return true
		case attempt == eventAttempts:
			log.Error(err, "Failed to write an event")
			return ctx.Err() == nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		}
		pause *= 2
	}
}

// try makes a single attempt.
func (w *eventWriter) try(ctx context.Context, event *eventsv1.Event) error {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	return w.client.Create(ctx, event)
}

// refused reports whether a retry would get the same answer.
func refused(err error) bool {
	return apierrors.ReasonForError(err) != metav1.StatusReasonUnknown && !apierrors.IsTooManyRequests(err) && !apierrors.IsInternalError(err) &&
		!apierrors.IsServiceUnavailable(err) && !apierrors.IsTimeout(err) && !apierrors.IsServerTimeout(err)
}
