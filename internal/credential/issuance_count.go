// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// lastIssued returns when the last token was issued, or zero if none was. Status has whole seconds, so it may be up to a second late.
func lastIssued(s *State) time.Time {
	current, reported := s.Current.Persisted, s.Object.Status.LastRefreshTime
	known := []time.Time{s.LastIssuedAt}
	if current != nil {
		known = append(known, current.IssuedAt)
	}
	if reported != nil && (current == nil || reported.After(current.IssuedAt)) {
		known = append(known, reported.Add(time.Second))
	}
	var last time.Time
	for _, t := range known {
		inFuture := t.Sub(s.Now) > time.Second // written on an unknown clock: the other sources know better, or the next token will
		if t.After(last) && !inFuture {
			last = t
		}
	}
	return last
}

// issuedToday returns the count of tokens issued today. Status, the target and this process each know it, since each of them may be lost.
func issuedToday(s *State) v1alpha1.Issuance {
	known := []*v1alpha1.Issuance{s.Object.Status.Issuance, s.Issuance}
	if current := s.Current.Persisted; current != nil {
		known = append(known, current.Issuance)
	}
	today := v1alpha1.Issuance{Day: s.Now.UTC().Format(time.DateOnly)}
	tomorrow := s.Now.UTC().AddDate(0, 0, 1).Format(time.DateOnly)
	for _, k := range known {
		if k != nil && k.Day == tomorrow { // begun by a leader whose clock is ahead of ours: no day gets two budgets
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
	return refresh != nil && refresh.MaxPerDay != nil && issuedToday(s).Count >= *refresh.MaxPerDay
}

func budgetFailure(s *State) *Failure {
	f := stalled(v1alpha1.ReasonBudgetSpent, fmt.Sprintf(
		"the %d tokens of spec.refresh.maxPerDay were issued today: the next one is issued on the next day (UTC), or when maxPerDay is raised",
		*s.Object.Spec.Refresh.MaxPerDay))
	f.RetryAt = s.Now.UTC().Truncate(24 * time.Hour).Add(24 * time.Hour)
	return f
}
