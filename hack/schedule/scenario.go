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

// A scenario is that of many credentials at one endpoint, all created at the same moment: a cluster restored from a backup without its
// Secrets, the worst that can be.
type scenario struct {
	objects  int
	lifetime time.Duration
	qps      float64
	span     time.Duration
}

const (
	// took is how long an exchange takes, and workers how many objects a controller works on at once.
	took = 50 * time.Millisecond
	// tardy is the most by which a busy controller is late.
	tardy = 20 * time.Millisecond
	// namespaces is over how many the objects are spread.
	namespaces = 500
)

// origin is when everything begins; any will do.
var origin = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// An outcome is what became of a scenario.
type outcome struct {
	scenario
	perMinute []int
	// exchanges are all, the first included; what follows is of the renewals only.
	exchanges int
	firstSync time.Duration
	seconds   []float32 // lateness, unsorted
	sorted    bool
	busiest   int // second
	expired   int
}

// late is the lateness that a share of the renewals did not exceed, in seconds.
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

// mean is how many renewals there are in a second, from the first second after the first sync to the end.
func (o *outcome) mean() float64 {
	return float64(len(o.seconds)) / (o.span - o.firstSync).Seconds()
}

func (o *outcome) busiestMinute() int { return slices.Max(o.perMinute) }

// A world is a scenario while it goes on.
type world struct {
	outcome
	gate   *egress.Gate
	now    time.Time
	events events
	serial uint64
	chance *rand.Rand
	second int64 // the present one, and what was renewed in it
	inIt   int
	left   int // objects that had no token yet
}

type object struct {
	uid  string
	ask  egress.Ask
	life token.Life // zero: it has no token
	// permit is that of the exchange under way. Nil: none is.
	permit *egress.Permit
	sent   time.Time
}

type event struct {
	at     time.Time
	serial uint64
	object *object
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

// live lets the time go by.
func (s scenario) live() outcome {
	w := &world{
		outcome: outcome{scenario: s, perMinute: make([]int, s.span/time.Minute)},
		gate:    egress.NewGate(egress.Limits{QPS: s.qps}), now: origin, chance: rand.New(rand.NewPCG(1, 1)), left: s.objects,
	}
	for i := range s.objects {
		namespace := fmt.Sprintf("team-%03d", i%namespaces)
		w.wake(time.Duration(i)*time.Millisecond, &object{
			uid: fmt.Sprintf("%016x-%016x", w.chance.Uint64(), w.chance.Uint64()),
			ask: egress.Ask{Endpoint: "auth.example.com:443", Namespace: namespace, Object: fmt.Sprintf("%s/credential-%06d", namespace, i)},
		})
	}
	for end := origin.Add(s.span); len(w.events) > 0 && w.events[0].at.Before(end); {
		next := heap.Pop(&w.events).(event)
		w.now = next.at
		if next.object.permit != nil {
			w.answered(next.object)
		} else {
			w.due(next.object)
		}
	}
	return w.outcome
}

func (w *world) wake(after time.Duration, o *object) {
	w.serial++
	heap.Push(&w.events, event{w.now.Add(after), w.serial, o})
}

// due is a pass over an object that needs a token: it asks the gate, and comes back when told to.
func (w *world) due(o *object) {
	if o.ask.Since.IsZero() {
		o.ask.Since = w.now
	}
	o.ask.Unplanned = o.life.ExpiresAt.IsZero()
	permit, wait := w.gate.Admit(w.now, o.ask)
	if wait != nil {
		w.wake(wait.For+time.Duration(w.chance.Int64N(int64(tardy))), o)
		return
	}
	w.count(o)
	o.permit, o.sent = permit, w.now
	w.wake(took, o)
}

// count takes down an exchange that begins.
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

// answered is the end of an exchange: the token is held until its renewal.
func (w *world) answered(o *object) {
	o.permit.Done(w.now, egress.Result{Kind: egress.OK})
	o.permit = nil
	o.life = token.Life{IssuedAt: o.sent, ExpiresAt: o.sent.Truncate(time.Second).Add(w.lifetime)}
	o.ask.Expires, o.ask.Since = o.life.ExpiresAt, time.Time{}
	w.wake(max(o.life.RenewAt(0, o.uid).Sub(w.now), time.Millisecond)+time.Duration(w.chance.Int64N(int64(tardy))), o)
}
