// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"fmt"
	"slices"
	"time"
)

// judgeGaps divides the gaps into excused ones and violations.
func (e *evidence) judgeGaps(r *Report) {
	var bad, excused []blockage
	for _, g := range e.consumer.gaps {
		if g.to.Sub(g.from) <= 0 {
			continue
		}
		due, until := g.from, g.from
		lead := g.member.lead(g.token.Expires.Sub(g.token.Issued))
		list := e.blockages(g.member)
		if g.verdict == expired { // other verdicts are never excused
			due = g.token.Expires.Add(-lead)
			until = later(g.from, earlier(g.to, opportunity(list, due)))
		}
		causes := map[string]float64{}
		for why, d := range shares(list, due, g.to) {
			causes[why] = seconds(d)
		}
		seen := Gap{g.member.String(), string(g.verdict), clockTime(g.from), seconds(g.to.Sub(g.from)), seconds(lead), causes}
		if g.to.After(until) {
			bad = append(bad, blockage{from: until, to: g.to})
			r.Bad = append(r.Bad, seen)
		}
		if until.After(g.from) {
			excused = append(excused, blockage{from: g.from, to: until})
			r.Excused = append(r.Excused, seen)
		}
	}
	r.BadSeconds, r.BadObjectSeconds = seconds(covered(bad)), seconds(summed(bad))
	r.ExcusedSeconds, r.ExcusedObjectSeconds = seconds(covered(excused)), seconds(summed(excused))
	for _, g := range r.Bad {
		r.violation("%s had: %s, from %s for %.1f s, lead %.1f s, blockages since it was due: %v", g.Object, g.Verdict, g.From, g.Seconds, g.Lead, g.Causes)
	}
}

// judgeRepairs summarizes the breakages. A repair that took longer than the blockages explain is late.
func (e *evidence) judgeRepairs(r *Report) {
	took := map[string][]time.Duration{}
	late := map[string]int{}
	for _, b := range e.consumer.breakages {
		if b.uncertain {
			continue
		}
		from := b.since
		if b.exchange {
			for _, t := range e.tokens[b.member.client.ID] {
				if t.Issued.Before(b.token.Issued) || b.repaired.IsZero() {
					from = later(from, t.Issued.Add(interval))
				}
			}
		}
		if b.repaired.IsZero() {
			r.violation("%s: %s at %s, never repaired", b.member, b.what, clockTime(b.since))
			continue
		}
		took[b.what] = append(took[b.what], b.repaired.Sub(b.since))
		list := e.blockages(b.member)
		if latest := opportunity(list, from); b.repaired.After(latest) {
			late[b.what]++
			r.violation("%s: %s at %s, repaired after %s, which is %s too late; blockages: %v", b.member, b.what, clockTime(b.since),
				b.repaired.Sub(b.since).Round(time.Millisecond), b.repaired.Sub(latest).Round(time.Millisecond), shares(list, from, b.repaired))
		}
	}
	for _, what := range sortedKeys(took) {
		list := slices.Sorted(slices.Values(took[what]))
		r.Repairs = append(r.Repairs, Repair{what, len(list), seconds(list[len(list)/2]), seconds(list[len(list)-1]), late[what]})
	}
}

// judgeDisputes finds where status and target disagreed for longer than a reconcile takes. No endpoint excuses that.
func (e *evidence) judgeDisputes(r *Report) {
	general := byStart(e.general)
	var list []time.Duration
	for _, g := range e.agreement.disputes {
		list = append(list, g.to.Sub(g.from))
		if latest := opportunity(general, g.from); g.to.After(latest) {
			r.violation("%s: status had another expiry than the target from %s for %.1f s, which is %.1f s too long; blockages: %v",
				g.member, clockTime(g.from), seconds(g.to.Sub(g.from)), seconds(g.to.Sub(latest)), shares(general, g.from, g.to))
		}
	}
	if len(list) > 0 {
		slices.Sort(list)
		r.Disputes = Repair{"status behind the target", len(list), seconds(list[len(list)/2]), seconds(list[len(list)-1]), 0}
	}
}

// judgeExchanges finds the reason of every token.
func (e *evidence) judgeExchanges(r *Report, members []*member, over time.Time) {
	r.Exchanges.Excess = map[string]int{}
	for _, m := range members {
		h := e.history(m, over)
		t := h.account()
		r.Exchanges.Issued += len(h.tokens)
		r.Exchanges.add(t)
		for _, why := range t.unexplained {
			r.violation("%s", why)
		}
	}
}

// judgeRequests counts the requests to the endpoints. A request that an endpoint refuses without an injected fault is a violation.
func (e *evidence) judgeRequests(r *Report, sites []*site) {
	r.Attempts = map[string]int{}
	for _, s := range sites {
		for _, a := range s.faultSchedule.log() {
			r.Attempts[a.fault]++
		}
		for key, n := range s.server.Stats().Answers {
			if key.Path != "/api" && key.Status >= 400 && key.Status < 500 && key.Status != 429 {
				r.Refusals += n
				r.violation("%d requests to %s%s of %s were answered %d", n, key.System, key.Path, s.name, key.Status)
			}
		}
	}
}

func (r *Report) violation(format string, args ...any) {
	r.Violations = append(r.Violations, fmt.Sprintf(format, args...))
}
