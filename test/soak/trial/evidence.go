// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// evidence is what a run has left, by member.
type evidence struct {
	watcher   *secretWatcher
	consumer  *consumer
	apiClient *apiClient
	agreement *agreement
	replicas  *replicas
	outages   *outages
	users     *users

	general  []blockage             // for all members
	pauses   map[string][]blockage  // by endpoint
	attempts map[string][]attempt   // by client
	tokens   map[string][]issuedOne // by client
}

type issuedOne struct{ exchangetest.Token }

const (
	// starting is what a process needs from its start of work until it has looked at all objects.
	starting = 2 * time.Second
	// interval is the least time between two tokens of one object (10 s), in whole seconds rounded up.
	interval = 11 * time.Second
)

// gather takes everything down. Nothing may be going on any more.
func (e *evidence) gather(sites []*site) {
	for _, b := range e.replicas.idle {
		e.general = append(e.general, blockage{b.from, b.to.Add(starting), b.why})
	}
	for _, b := range e.outages.down {
		// Who backs off by doubling comes back within as long again.
		e.general = append(e.general, blockage{b.from, b.to.Add(b.to.Sub(b.from) + starting), b.why})
	}
	e.general = append(append(e.general, e.consumer.stalls...), e.apiClient.slow...)
	e.pauses, e.attempts, e.tokens = map[string][]blockage{}, map[string][]attempt{}, map[string][]issuedOne{}
	for _, s := range sites {
		byEndpoint := map[string][]attempt{}
		for _, a := range s.faultSchedule.log() {
			byEndpoint[a.endpoint] = append(byEndpoint[a.endpoint], a)
			e.attempts[a.client] = append(e.attempts[a.client], a)
		}
		for name, list := range byEndpoint {
			e.pauses[name] = pauses(list)
		}
		for _, t := range s.server.Tokens() {
			e.tokens[t.ClientID] = append(e.tokens[t.ClientID], issuedOne{t})
		}
	}
}

// blockages are all that stood in one member's way.
func (e *evidence) blockages(m *member) []blockage {
	list := append([]blockage(nil), e.general...)
	list = append(list, e.pauses[m.endpoint()]...)
	return byStart(append(list, waits(e.attempts[m.client.ID], func(t time.Time) time.Time { return e.alive(m, t) })...))
}

// alive says until when the token was good that a target held at a time; zero: it held none.
func (e *evidence) alive(m *member, t time.Time) time.Time {
	var held showing
	for _, s := range e.watcher.showings(m.namespace, m.target()) {
		if !s.at.After(t) {
			held = s
		}
	}
	token, known := m.site.server.Token(held.token)
	if !known {
		return time.Time{}
	}
	for _, b := range e.consumer.breakages {
		if b.member == m && b.exchange && b.since.After(held.at) && !b.since.After(t) {
			return time.Time{}
		}
	}
	return token.Expires
}

// history is what is known of a member's exchanges.
func (e *evidence) history(m *member, over time.Time) history {
	h := history{name: m.String(), lead: m.lead, changes: e.users.changes[m], ends: e.replicas.ends, apiDown: e.outages.down, over: over}
	shown := map[string]bool{}
	for _, s := range e.watcher.showings(m.namespace, m.target()) {
		shown[s.token] = true
	}
	spoilt := map[time.Time]string{}
	for _, a := range e.attempts[m.client.ID] {
		if a.spoils {
			spoilt[a.at] = a.fault
		}
	}
	for _, t := range e.tokens[m.client.ID] {
		h.tokens = append(h.tokens, issued{t.Issued, t.Expires, shown[t.Value], spoilt[t.Issued]})
	}
	return h
}
