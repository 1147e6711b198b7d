// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"fmt"
	"slices"
	"time"
)

// An issued is a token in the endpoint's ledger, and what happened to it.
type issued struct {
	at, expires time.Time
	published   bool
	// spoilt is the fault that made it unusable. Empty: none.
	spoilt string
}

// A change is a user action that requires one token.
type change struct {
	at   time.Time
	what string
}

// An end is the end of a process of the operator.
type end struct {
	at  time.Time
	how string
}

// A history is everything that is known about the exchanges of one object.
type history struct {
	name    string
	tokens  []issued // in the order of their issue
	lead    func(lifetime time.Duration) time.Duration
	changes []change
	ends    []end
	// apiDown are the times without an API server, during which an issued token waits to be written.
	apiDown []blockage
	// over is when the run ended: what was issued shortly before may still be in flight.
	over time.Time
}

// A tally counts the reasons for which tokens were issued. They add up to the number of tokens.
type tally struct {
	first, due, underWay int
	excess               map[string]int
	unexplained          []string
}

const (
	// early is how much earlier than its lead and the largest jitter (a tenth of the lifetime) a renewal may seem, because tokens have whole seconds.
	early = 1500 * time.Millisecond
	// inFlight is how long an exchange may take, with a margin.
	inFlight = 17 * time.Second
	// closely is how soon after its issue a token is written, unless something is in the way.
	closely = 5 * time.Second
)

// explain counts a token by its reason. Without a reason it is unexplained.
func (t *tally) explain(why, otherwise string, args ...any) {
	if why != "" {
		t.excess[why]++
		return
	}
	t.unexplained = append(t.unexplained, fmt.Sprintf(otherwise, args...))
}

// account finds the reason of every token.
func (h history) account() tally {
	t := tally{excess: map[string]int{}}
	changes := slices.Clone(h.changes)
	var held *issued // the last published one
	for i := range h.tokens {
		token := &h.tokens[i]
		isLast := i == len(h.tokens)-1
		mayBeUnderWay := isLast && token.spoilt == "" && h.over.Sub(token.at) < inFlight
		switch {
		case !token.published && mayBeUnderWay:
			t.underWay++
		case !token.published:
			t.explain(h.lost(i), "%s: the token issued at %s was never published, and nothing was in the way", h.name, clockTime(token.at))
		case held == nil:
			t.first++
		case !token.at.Before(h.due(held)):
			t.due++
		default:
			t.explain(take(&changes, held.at.Add(-inFlight), token.at),
				"%s: a token was issued at %s, before the one of %s was due for renewal at %s, and nobody had changed anything",
				h.name, clockTime(token.at), clockTime(held.at), clockTime(h.due(held)))
		}
		if token.published {
			held = token
		}
	}
	return t
}

// due returns the earliest time at which a token may be renewed without another reason.
func (h history) due(held *issued) time.Time {
	lifetime := held.expires.Sub(held.at)
	return held.expires.Add(-h.lead(lifetime) - lifetime/10 - early)
}

// lost returns why a token was never published. Empty: unknown.
func (h history) lost(i int) string {
	token := h.tokens[i]
	if token.spoilt != "" {
		return "fault: " + token.spoilt
	}
	next := h.over
	if i+1 < len(h.tokens) {
		next = h.tokens[i+1].at
	}
	for _, e := range h.ends {
		if e.at.Before(token.at.Add(-time.Second)) || e.at.After(next) {
			continue
		}
		if e.at.Sub(token.at) <= closely || overlaps(h.apiDown, token.at, e.at) {
			return e.how + " between exchange and write"
		}
	}
	for _, c := range h.changes {
		if !c.at.Before(token.at.Add(-inFlight)) && !c.at.After(next) {
			return "lost because of a user's change:  " + c.what
		}
	}
	return ""
}

// take removes the first change in a period, and returns what it was. Empty: there is none left.
func take(changes *[]change, from, to time.Time) string {
	for i, c := range *changes {
		if !c.at.Before(from) && !c.at.After(to) {
			*changes = slices.Delete(*changes, i, i+1)
			return c.what
		}
	}
	return ""
}

func overlaps(list []blockage, from, to time.Time) bool {
	return slices.ContainsFunc(list, func(b blockage) bool { return b.from.Before(to) && b.to.After(from) })
}

func clockTime(t time.Time) string { return t.Format("15:04:05.000") }
