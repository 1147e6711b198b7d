// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// maxSkew is how far two clocks may differ before somebody should know.
const maxSkew = 30 * time.Second

// A Warning is about something that works, but that somebody should know of. It is given once for as long as it lasts.
type Warning struct {
	Reason, Message string
	// Once is the name by which the target remembers that it was given.
	Once string
}

// warningsOf returns the warnings that a new token gives rise to.
func warningsOf(s *State, p *Publication) []Warning {
	var warnings []Warning
	for _, check := range []func(*State, *Publication) *Warning{clockSkew, deprecatedFlow, scopesReduced, budgetLow} {
		if w := check(s, p); w != nil {
			warnings = append(warnings, *w)
		}
	}
	return warnings
}

func clockSkew(s *State, p *Publication) *Warning {
	if p.Token.Life.Skew.Abs() <= maxSkew {
		return nil
	}
	return &Warning{
		Reason: v1alpha1.EventClockSkew, Once: v1alpha1.EventClockSkew,
		Message: fmt.Sprintf("The clocks of %s and of the operator differ by more than 30 s; tokens are still renewed in time: check both clocks",
			hostOf(s.Desired.Endpoint)),
	}
}

func deprecatedFlow(_ *State, p *Publication) *Warning {
	if p.Request.Flow.Deprecated == "" {
		return nil
	}
	return &Warning{Reason: v1alpha1.EventDeprecated, Once: v1alpha1.EventDeprecated, Message: p.Request.Flow.Deprecated}
}

func scopesReduced(_ *State, p *Publication) *Warning {
	missing := strings.Join(notGranted(p.Request.Flow.Scopes(), p.Token.Granted), " ")
	if missing == "" {
		return nil
	}
	return &Warning{
		Reason: v1alpha1.EventScopesReduced, Once: v1alpha1.EventScopesReduced + "/" + fingerprint(nil, []byte(missing)),
		Message: "The endpoint did not grant these scopes: " + shorten(missing, 512),
	}
}

// notGranted returns the scopes that were requested but not granted. An endpoint that names none granted them all (RFC 6749 section 5.1).
func notGranted(requested, granted []string) []string {
	if granted == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(requested), func(scope string) bool { return slices.Contains(granted, scope) })
}

func budgetLow(s *State, p *Publication) *Warning {
	refresh, issued := s.Object.Spec.Refresh, p.Persisted.Issuance
	if refresh == nil || refresh.MaxPerDay == nil || issued == nil {
		return nil
	}
	if low := int64(issued.Count)*5 >= int64(*refresh.MaxPerDay)*4; !low {
		return nil
	}
	return &Warning{
		Reason: v1alpha1.EventBudgetLow, Once: v1alpha1.EventBudgetLow + "/" + issued.Day,
		Message: fmt.Sprintf("At least four fifths of the %d tokens of spec.refresh.maxPerDay were issued today", *refresh.MaxPerDay),
	}
}

// newWarnings returns the warnings that were not given with the previous token.
func newWarnings(s *State, previous *PersistedState, p *Publication) []Warning {
	var fresh []Warning
	for _, w := range warningsOf(s, p) {
		if previous == nil || !slices.Contains(previous.Warned, w.Once) {
			fresh = append(fresh, w)
		}
	}
	return fresh
}

func warningNames(s *State, p *Publication) []string {
	var names []string
	for _, w := range warningsOf(s, p) {
		names = append(names, w.Once)
	}
	return names
}
