package controllers

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// maxSkew is how far two clocks may be apart before somebody should know.
const maxSkew = 30 * time.Second

// A warning is something that works, but that somebody should know of. It is given once for as long as it lasts.
type warning struct {
	reason, message string
	// once is what the record remembers it by.
	once string
}

func warningsOf(v *view, p *publication) []warning {
	var list []warning
	warn := func(reason, once, message string, args ...any) {
		list = append(list, warning{reason: reason, message: fmt.Sprintf(message, args...), once: once})
	}
	if p.token.Life.Skew.Abs() > maxSkew {
		warn(v1alpha1.EventClockSkew, v1alpha1.EventClockSkew,
			"The clocks of %s and of the operator differ by more than 30 s; tokens are renewed in time all the same: check both clocks", hostOf(v.intent.endpoint))
	}
	if deprecated := p.req.Flow.Deprecated; deprecated != "" {
		warn(v1alpha1.EventDeprecated, v1alpha1.EventDeprecated, "%s", deprecated)
	}
	if missing := notGranted(p.req.Flow.Scopes(), p.token.Granted); len(missing) > 0 {
		warn(v1alpha1.EventScopesReduced, v1alpha1.EventScopesReduced+"/"+fingerprint(nil, []byte(strings.Join(missing, " "))),
			"The endpoint did not grant these scopes: %s", shorten(strings.Join(missing, " "), 512))
	}
	if refresh := v.obj.Spec.Refresh; refresh != nil && refresh.MaxPerDay != nil && p.rec.Issuance != nil {
		if most := *refresh.MaxPerDay; int64(p.rec.Issuance.Count)*5 >= int64(most)*4 {
			warn(v1alpha1.EventBudgetLow, v1alpha1.EventBudgetLow+"/"+p.rec.Issuance.Day,
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

// freshWarnings are those that the record before did not have.
func freshWarnings(v *view, old *record, p *publication) []warning {
	var fresh []warning
	for _, w := range warningsOf(v, p) {
		if old == nil || !slices.Contains(old.Warned, w.once) {
			fresh = append(fresh, w)
		}
	}
	return fresh
}

func warned(v *view, p *publication) []string {
	var reasons []string
	for _, w := range warningsOf(v, p) {
		reasons = append(reasons, w.once)
	}
	return reasons
}
