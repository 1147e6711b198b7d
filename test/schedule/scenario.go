// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// A scenario is many credentials at one endpoint, all created at the same time. The worst case is a cluster restored from a backup without its
// Secrets.
type scenario struct {
	objects  int
	lifetime time.Duration
	qps      float64
	span     time.Duration
}

const (
	// took is the duration of an exchange.
	took = 50 * time.Millisecond
	// tardy is the maximum delay of a busy controller.
	tardy = 20 * time.Millisecond
	// namespaces is the number of namespaces of the objects.
	namespaces = 500
)

// origin is the start of every scenario. Its value does not matter.
var origin = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// An outcome is the result of a scenario.
type outcome struct {
	scenario
	perMinute []int
	// exchanges counts all exchanges; the fields below concern renewals only, except firstSync.
	exchanges int
	firstSync time.Duration
	seconds   []float32 // lateness, unsorted
	sorted    bool
	busiest   int // renewals in the busiest second
	expired   int
}

// late returns the lateness, in seconds, that a share of the renewals did not exceed.
func (o *outcome) late(share float64) float64 {
	if len(o.seconds) == 0 {
		return 0
	}
	if !o.sorted {
		slices.Sort(o.seconds)
		o.sorted = true
	}
	return float64(o.seconds[min(int(share*float64(len(o.seconds))), len(o.seconds)-1)])
}

// mean returns the renewals per second, from the first sync to the end.
func (o *outcome) mean() float64 {
	return float64(len(o.seconds)) / (o.span - o.firstSync).Seconds()
}

func (o *outcome) busiestMinute() int { return slices.Max(o.perMinute) }

// A world is a running scenario.
type world struct {
	outcome
	gate   *egress.Gate
	now    time.Time
	events events
	serial uint64
	chance *rand.Rand
	second int64 // second is the current one, inIt the number of renewals in it
	inIt   int
	left   int // objects without a first token
}

type object struct {
	uid     string
	request egress.Request
	life    token.Life // zero: it has no token
	// reservation is that of the exchange in flight. Nil: there is none.
	reservation *egress.Reservation
	sent        time.Time
}

type event struct {
	at     time.Time
	serial uint64
	object *object
	// timer is a callback of the gate. Nil: the event is about the object.
	timer func(now time.Time)
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return cmp.Or(e[i].at.Compare(e[j].at), cmp.Compare(e[i].serial, e[j].serial)) < 0
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// live runs the scenario.
func (s scenario) live() outcome {
	w := &world{
		outcome: outcome{scenario: s, perMinute: make([]int, s.span/time.Minute)},
		gate:    egress.NewGate(egress.Limits{QPS: s.qps}), now: origin, chance: rand.New(rand.NewPCG(1, 1)), left: s.objects,
	}
	objects := map[string]*object{}
	w.gate.Notify(
		func(name string) { w.wake(w.tardy(), objects[name]) },
		func(d time.Duration, f func(time.Time)) { w.add(d, event{timer: f}) })
	for i := range s.objects {
		namespace := fmt.Sprintf("team-%03d", i%namespaces)
		o := &object{
			uid: fmt.Sprintf("%016x-%016x", w.chance.Uint64(), w.chance.Uint64()),
			request: egress.Request{
				Host: "auth.example.com:443", Namespace: namespace, Client: fmt.Sprintf("client-%06d", i), Object: fmt.Sprintf("%s/credential-%06d", namespace, i),
			},
		}
		objects[o.request.Object] = o
		w.wake(time.Duration(i)*time.Millisecond, o)
	}
	for end := origin.Add(s.span); len(w.events) > 0 && w.events[0].at.Before(end); {
		next := heap.Pop(&w.events).(event)
		w.now = next.at
		switch {
		case next.timer != nil:
			next.timer(w.now)
		case next.object.reservation != nil:
			w.answered(next.object)
		default:
			w.due(next.object)
		}
	}
	return w.outcome
}

func (w *world) wake(after time.Duration, o *object) {
	w.add(after, event{object: o})
}

func (w *world) add(after time.Duration, e event) {
	w.serial++
	e.at, e.serial = w.now.Add(after), w.serial
	heap.Push(&w.events, e)
}

func (w *world) tardy() time.Duration { return time.Duration(w.chance.Int64N(int64(tardy))) }

// due reconciles an object that needs a token: it reserves a place at the gate, or is woken later.
func (w *world) due(o *object) {
	o.request.Planned = !o.life.ExpiresAt.IsZero()
	reservation, delay := w.gate.Reserve(w.now, o.request)
	if delay != nil {
		return
	}
	w.count(o)
	o.reservation, o.sent = reservation, w.now
	w.wake(took, o)
}

// count records the beginning of an exchange.
func (w *world) count(o *object) {
	w.exchanges++
	w.perMinute[w.now.Sub(origin)/time.Minute]++
	if o.life.ExpiresAt.IsZero() {
		if w.left--; w.left == 0 {
			w.firstSync = w.now.Sub(origin)
		}
		return
	}
	w.seconds = append(w.seconds, float32(w.now.Sub(o.life.RenewAt(0, o.uid)).Seconds()))
	if second := w.now.Unix(); second != w.second {
		w.second, w.inIt = second, 0
	}
	w.inIt++
	w.busiest = max(w.busiest, w.inIt)
	if !w.now.Add(took).Before(o.life.ExpiresAt) {
		w.expired++
	}
}

// answered ends an exchange and schedules the renewal.
func (w *world) answered(o *object) {
	o.reservation.Done(w.now, egress.Result{Kind: egress.Served})
	o.reservation = nil
	o.life = token.Life{IssuedAt: o.sent, ExpiresAt: o.sent.Truncate(time.Second).Add(w.lifetime)}
	o.request.Expires, o.request.Due = o.life.ExpiresAt, o.life.RenewAt(0, o.uid)
	w.wake(max(o.request.Due.Sub(w.now), time.Millisecond)+w.tardy(), o)
}
