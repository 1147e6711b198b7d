// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// A plan is what is decided about a world before it begins: its objects, the assumptions that do not hold, and what happens when. Only what cannot be
// planned (how long a request takes, which node answers) is drawn while it runs. Each part has its own dice, so that a plan stays the same if a part
// is left out: this is how a failing world is shrunk.
type plan struct {
	seed     uint64
	lifetime time.Duration
	// chaos is how long things happen, pace the mean time between two of them.
	chaos, pace time.Duration
	objects     []planned
	flips       []flip
	events      []event
}

// planned is an object that is applied at the beginning.
type planned struct {
	number              int
	namespace, kind     string
	repairedHalfHearted bool
}

func (o planned) name() types.NamespacedName {
	return types.NamespacedName{Namespace: o.namespace, Name: fmt.Sprintf("obj%d", o.number)}
}

// A flip is an assumption that does not hold in this world.
type flip struct {
	number int
	*assumption
	seed uint64
}

// An event is something that a user does to an object, or an episode in which an assumption does not hold.
type event struct {
	number int
	at     time.Duration
	action *action
	// object is the number of the object of the action.
	object int
	// assumption is nil if the event is an action.
	assumption *assumption
	seed       uint64
}

// newPlan makes the plan of a seed. No world has everything in it, or rare things would hide behind frequent ones.
func newPlan(seed uint64, all []*assumption) plan {
	d := newDice(seed, 0x91a)
	p := plan{seed: seed}
	p.lifetime = pick(&d, []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, time.Hour, time.Hour, 6 * time.Hour, 24 * time.Hour})
	p.chaos = min(max(12*p.lifetime, 30*time.Minute), 36*time.Hour)
	p.pace = p.chaos / time.Duration(5+d.chance.IntN(60))
	for i, a := range flipped(&d, all) {
		p.flips = append(p.flips, flip{number: i, assumption: a, seed: d.chance.Uint64()})
	}
	p.populate(&d)
	p.schedule(&d)
	return p
}

// populate draws the objects.
func (p *plan) populate(d *dice) {
	size, namespaces, kinds := 1+d.chance.IntN(3), []string{"a", "a", "b"}, providers
	if p.has(manyTenants) {
		size, namespaces, kinds = 4+d.chance.IntN(6), []string{"a", "b", "c", "d"}, []string{pick(d, providers), "oauth2"}
	}
	for i := range size {
		p.objects = append(p.objects, planned{
			number: i, namespace: pick(d, namespaces), kind: pick(d, kinds), repairedHalfHearted: d.maybe(0.3),
		})
	}
}

// schedule draws the events.
func (p *plan) schedule(d *dice) {
	does := some(d, actions)
	var episodes []*assumption
	for _, f := range p.flips {
		if f.episode != nil {
			episodes = append(episodes, f.assumption)
		}
	}
	if len(does)+len(episodes) == 0 {
		return
	}
	for at := d.about(p.pace); at < p.chaos; at += d.about(p.pace) {
		e := event{number: len(p.events), at: at, object: pick(d, p.objects).number, seed: d.chance.Uint64()}
		if len(episodes) > 0 && (len(does) == 0 || d.maybe(0.4)) {
			e.assumption = pick(d, episodes)
		} else {
			a := pick(d, does)
			e.action = &a
		}
		p.events = append(p.events, e)
	}
}

func (e *event) what() string {
	if e.assumption != nil {
		return "for a while not: " + e.assumption.name
	}
	return fmt.Sprintf("USER obj%d: %s", e.object, e.action.name)
}

// kept returns the plan with only the named parts.
func (p plan) kept(k keep) plan {
	p.objects = slices.DeleteFunc(slices.Clone(p.objects), func(o planned) bool { return !slices.Contains(k.objects, o.number) })
	p.flips = slices.DeleteFunc(slices.Clone(p.flips), func(f flip) bool { return !slices.Contains(k.flips, f.number) })
	p.events = slices.DeleteFunc(slices.Clone(p.events), func(e event) bool {
		return !slices.Contains(k.events, e.number) || e.assumption != nil && !p.has(e.assumption) || e.action != nil && !slices.Contains(k.objects, e.object)
	})
	return p
}

func (p *plan) namespaceOf(object int) string {
	return p.objects[slices.IndexFunc(p.objects, func(o planned) bool { return o.number == object })].namespace
}

func (p *plan) has(a *assumption) bool {
	return slices.ContainsFunc(p.flips, func(f flip) bool { return f.assumption == a })
}

// A keep names parts of a plan.
type keep struct{ objects, flips, events []int }

// all names all parts.
func (p *plan) all() keep {
	k := keep{}
	for _, o := range p.objects {
		k.objects = append(k.objects, o.number)
	}
	for _, f := range p.flips {
		k.flips = append(k.flips, f.number)
	}
	for _, e := range p.events {
		k.events = append(k.events, e.number)
	}
	return k
}

// String returns the format of the flag -simulation.keep: objects/flips/events.
func (k keep) String() string {
	list := func(numbers []int) string {
		return strings.Trim(strings.ReplaceAll(fmt.Sprint(numbers), " ", ","), "[]")
	}
	return list(k.objects) + "/" + list(k.flips) + "/" + list(k.events)
}

func parseKeep(text string) (k keep, err error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return k, fmt.Errorf("%q is not of the form objects/flips/events", text)
	}
	for i, into := range []*[]int{&k.objects, &k.flips, &k.events} {
		for _, number := range strings.FieldsFunc(parts[i], func(r rune) bool { return r == ',' }) {
			n := 0
			if _, err := fmt.Sscan(number, &n); err != nil {
				return k, fmt.Errorf("parse the number %q: %w", number, err)
			}
			*into = append(*into, n)
		}
	}
	return k, nil
}

// describe summarizes a plan in a few lines.
func (p *plan) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tokens for %s\n", p.lifetime)
	for _, o := range p.objects {
		fmt.Fprintf(&b, "object %s, %s\n", o.name(), o.kind)
	}
	for _, f := range p.flips {
		fmt.Fprintf(&b, "flipped: %s\n", f.name)
	}
	for _, e := range p.events {
		fmt.Fprintf(&b, "%s: %s\n", e.at.Round(time.Millisecond), e.what())
	}
	return b.String()
}
