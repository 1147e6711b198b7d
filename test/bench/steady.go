// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// steady creates as many objects again, all at once, with short-lived tokens and a gate with default limits, and waits until each token was renewed.
func (r *runner) steady(ctx context.Context) error {
	if r.lifetime == 0 {
		return nil
	}
	const phase = "steady state, default gate"
	f, err := r.restartWithShortTokens(ctx)
	if err != nil {
		return err
	}
	from, err := r.mark(ctx)
	if err != nil {
		return err
	}
	if err := f.create(ctx); err != nil {
		return err
	}
	if err := r.observer.wait(ctx, f, f.size, 1); err != nil {
		return err
	}
	r.add(phase, "lifetime of tokens", r.lifetime.Seconds(), "s")
	r.add(phase, "first sync of all", time.Since(from.at).Seconds(), "s")
	if err := r.observer.wait(ctx, f, f.size, 2); err != nil {
		return err
	}
	t, err := r.soFar(ctx, from, operatorAccount) // with thousands of objects there is never a moment without requests
	if err != nil {
		return err
	}
	p, err := r.punctuality(ctx, f)
	if err != nil {
		return err
	}
	r.addPunctuality(phase, p)
	r.add(phase, "requests", float64(len(t.requests))/float64(t.exchanges), "an exchange")
	r.add(phase, "processor time of manager", 1000*t.cpu["manager"]/float64(t.exchanges), "ms an exchange")
	return r.addMemory(phase)
}

// restartWithShortTokens restarts the manager and prepares a fleet without creating it.
func (r *runner) restartWithShortTokens(ctx context.Context) (*fleet, error) {
	if err := r.stop(); err != nil {
		return nil, err
	}
	if err := r.endpoint.lives(ctx, r.lifetime); err != nil {
		return nil, err
	}
	f, err := r.newFleet(ctx, "steady", r.credentials)
	if err != nil {
		return nil, err
	}
	if err := r.launch(ctx); err != nil {
		return nil, err
	}
	return f, r.manager.Ready(ctx)
}

func (r *runner) addPunctuality(phase string, p punctuality) {
	r.add(phase, "renewals", float64(len(p.late)), "")
	r.add(phase, "lateness, median", median(p.late), "s")
	r.add(phase, "lateness, 99 of 100", quantile(p.late, 0.99), "s")
	r.add(phase, "lateness, most", slices.Max(p.late), "s")
	r.add(phase, "renewals due after the first sync", float64(len(p.lateAfter)), "")
	r.add(phase, "lateness of these, 99 of 100", quantile(p.lateAfter, 0.99), "s")
	r.add(phase, "exchanges in the busiest second", p.busiest, "")
	r.add(phase, "exchanges a second on average", p.mean, "")
	r.add(phase, "busiest second over the average", p.busiest/p.mean, "")
	r.add(phase, "least that a token had left when the next was seen", p.margin, "s")
	r.add(phase, "tokens expired", p.expired, "")
}

// punctuality is how punctual renewals were.
type punctuality struct {
	late                           []float64 // seconds
	lateAfter                      []float64 // of those that became due after the first sync
	busiest, mean, margin, expired float64
}

func (r *runner) punctuality(ctx context.Context, f *fleet) (punctuality, error) {
	issued, err := r.endpoint.issued(ctx, f.name)
	if err != nil {
		return punctuality{}, err
	}
	objects := &v1alpha1.CDPCredentialList{}
	if err := r.cluster.Client.List(ctx, objects); err != nil {
		return punctuality{}, err
	}
	uids := map[string]string{}
	for i := range objects.Items {
		uids[objects.Items[i].Name] = string(objects.Items[i].UID)
	}
	p := punctuality{margin: r.lifetime.Seconds()}
	p.measureRenewals(issued, uids)
	for i := range f.size {
		seen, _ := r.observer.of(f.target(i))
		for j := 1; j < len(seen); j++ {
			left := seen[j-1].expires.Sub(seen[j].at).Seconds()
			p.margin = min(p.margin, left)
			if left <= 0 {
				p.expired++
			}
		}
	}
	return p, nil
}

// measureRenewals measures how late renewals were and how evenly they were spread, from the tokens in the order of their issue.
func (p *punctuality) measureRenewals(issued []issuance, uids map[string]string) {
	synced := firstSyncOf(issued)
	last, seconds := map[string]issuance{}, map[int64]float64{}
	var first, end time.Time
	for _, t := range issued {
		if before, again := last[t.Client]; again {
			due := token.Life{IssuedAt: before.Issued, ExpiresAt: before.Expires}.RenewAt(0, uids[t.Client])
			late := max(t.Issued.Sub(due).Seconds(), 0)
			p.late = append(p.late, late)
			if due.After(synced) {
				p.lateAfter = append(p.lateAfter, late)
			}
			seconds[t.Issued.Unix()]++
			if first.IsZero() {
				first = t.Issued
			}
			end = t.Issued
		}
		last[t.Client] = t
	}
	for _, n := range seconds {
		p.busiest = max(p.busiest, n)
	}
	p.mean = float64(len(p.late)) / end.Sub(first).Seconds()
}

// firstSyncOf returns when the last client got its first token.
func firstSyncOf(issued []issuance) time.Time {
	var synced time.Time
	known := map[string]bool{}
	for _, t := range issued {
		if !known[t.Client] {
			known[t.Client], synced = true, t.Issued
		}
	}
	return synced
}
