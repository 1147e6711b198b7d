// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// LastIssued is when the last token was issued, zero if none was. Status has whole seconds, so that it may be up to a second later.
func LastIssued(v *State) time.Time {
	known := []time.Time{v.LastIssuedAt}
	if v.Current.Persisted != nil {
		known = append(known, v.Current.Persisted.IssuedAt)
	}
	if s := v.Object.Status.LastRefreshTime; s != nil && (v.Current.Persisted == nil || s.After(v.Current.Persisted.IssuedAt)) {
		known = append(known, s.Add(time.Second))
	}
	var last time.Time
	for _, t := range known {
		if t.After(last) && t.Sub(v.Now) <= time.Second { // else it is on a clock that nobody knows: the others, or the next token, say better
			last = t
		}
	}
	return last
}

// IssuedToday is the count of the tokens issued today: status or, where it was lost, the record on the target or this process's memory.
func IssuedToday(s *State) v1alpha1.Issuance {
	today := v1alpha1.Issuance{Day: s.Now.UTC().Format(time.DateOnly)}
	known := []*v1alpha1.Issuance{s.Object.Status.Issuance, s.Issuance}
	if rec := s.Current.Persisted; rec != nil {
		known = append(known, rec.Issuance)
	}
	tomorrow := s.Now.UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	for _, k := range known {
		if k != nil && k.Day == tomorrow { // a leader whose clock was ahead of ours has begun it: no day has two budgets
			today.Day = tomorrow
		}
	}
	for _, k := range known {
		if k != nil && k.Day == today.Day {
			today.Count = max(today.Count, k.Count)
		}
	}
	return today
}

func budgetSpent(s *State) bool {
	refresh := s.Object.Spec.Refresh
	return refresh != nil && refresh.MaxPerDay != nil && IssuedToday(s).Count >= *refresh.MaxPerDay
}
