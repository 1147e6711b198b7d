// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// evidence is what a run has recorded.
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
	// starting is how long a process takes from the beginning of its work until it has reconciled all objects.
	starting = 2 * time.Second
	// interval is the minimum interval between two tokens of an object (10 s), rounded up because times have whole seconds.
	interval = 11 * time.Second
)

// gather collects all records. Nothing may be running any more.
func (e *evidence) gather(sites []*site) {
	for _, b := range e.replicas.idle {
		e.general = append(e.general, blockage{b.from, b.to.Add(starting), b.why})
	}
	for _, b := range e.outages.down {
		// An exponential backoff ends after at most the same time again.
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

// blockages returns everything that blocked a member.
func (e *evidence) blockages(m *member) []blockage {
	list := append([]blockage(nil), e.general...)
	list = append(list, e.pauses[m.endpoint()]...)
	return byStart(append(list, waits(e.attempts[m.client.ID], func(t time.Time) time.Time { return e.alive(m, t) })...))
}

// alive returns the expiry of the token that a target had at a time. Zero: it had none.
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

// history returns what is known about the exchanges of a member.
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
