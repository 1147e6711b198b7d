// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// maxSkew is how far two clocks may be apart before somebody should know.
const maxSkew = 30 * time.Second

// A Warning is about something that works, but that somebody should know of. It is given once for as long as it lasts.
type Warning struct {
	Reason, Message string
	// Once is what the record remembers it by.
	Once string
}

func warningsOf(s *State, p *Publication) []Warning {
	var list []Warning
	warn := func(reason, once, message string, args ...any) {
		list = append(list, Warning{Reason: reason, Message: fmt.Sprintf(message, args...), Once: once})
	}
	if p.Token.Life.Skew.Abs() > maxSkew {
		warn(v1alpha1.EventClockSkew, v1alpha1.EventClockSkew,
			"The clocks of %s and of the operator differ by more than 30 s; tokens are renewed in time all the same: check both clocks", hostOf(s.Desired.Endpoint))
	}
	if deprecated := p.Request.Flow.Deprecated; deprecated != "" {
		warn(v1alpha1.EventDeprecated, v1alpha1.EventDeprecated, "%s", deprecated)
	}
	if missing := notGranted(p.Request.Flow.Scopes(), p.Token.Granted); len(missing) > 0 {
		warn(v1alpha1.EventScopesReduced, v1alpha1.EventScopesReduced+"/"+Fingerprint(nil, []byte(strings.Join(missing, " "))),
			"The endpoint did not grant these scopes: %s", Shorten(strings.Join(missing, " "), 512))
	}
	if refresh := s.Object.Spec.Refresh; refresh != nil && refresh.MaxPerDay != nil && p.Persisted.Issuance != nil {
		if most := *refresh.MaxPerDay; int64(p.Persisted.Issuance.Count)*5 >= int64(most)*4 {
			warn(v1alpha1.EventBudgetLow, v1alpha1.EventBudgetLow+"/"+p.Persisted.Issuance.Day,
				"At least four fifths of the %d tokens of spec.refresh.maxPerDay were issued today", most)
		}
	}
	return list
}

// notGranted lists what was asked for and not granted. An endpoint that names no scopes granted them all (RFC 6749 section 5.1).
func notGranted(asked, granted []string) []string {
	if granted == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(asked), func(scope string) bool { return slices.Contains(granted, scope) })
}

// NewWarnings are those that the record before did not have.
func NewWarnings(s *State, old *PersistedState, p *Publication) []Warning {
	var fresh []Warning
	for _, w := range warningsOf(s, p) {
		if old == nil || !slices.Contains(old.Warned, w.Once) {
			fresh = append(fresh, w)
		}
	}
	return fresh
}

func warningNames(s *State, p *Publication) []string {
	var reasons []string
	for _, w := range warningsOf(s, p) {
		reasons = append(reasons, w.Once)
	}
	return reasons
}
