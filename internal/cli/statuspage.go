// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// shownRows is how many pods and events are printed: -o json has all of them.
const (
	shownPods   = 12
	shownEvents = 5
)

// answer writes why, since when, and what next and by whom.
func (p *page) answer(r *Report, now time.Time) {
	label := p.paint(bold, "Why    ")
	for _, line := range wrapped(r.Reason+": "+r.Why, columns-7) {
		p.line(label + p.paint(r.colour(), line))
		label = "       "
	}
	p.line(p.paint(bold, "Since  ") + clip(r.sinceText(now), columns-7))
	p.wrap("Next   ", r.nextText(now))
	if r.Command != "" {
		p.command("         ", r.Command)
	}
}

// report writes the whole screen: first the answer, then what it rests on.
func (p *page) report(r *Report, now time.Time) {
	p.answer(r, now)
	p.line("")
	p.wrap("", r.title())
	p.timeline(r.Token, now)
	if facts := r.facts(); len(facts) > 0 {
		p.wrap("       ", strings.Join(facts, ", "))
	}
	if r.Message != "" {
		p.line("")
		p.line("Message")
		p.wrap("  ", r.Message)
	}
	p.restarts(r, now)
	p.podUses(r, now)
	if told := r.PodRefresh; told != nil && told.Reason != "" {
		p.wrap("  "+told.Reason+": ", told.Message)
	}
	p.events(r, now)
	for _, hidden := range r.Hidden {
		p.line("")
		p.wrap("Not shown: ", plain(hidden))
	}
}

func (r *Report) colour() paint {
	switch {
	case r.Healthy && r.Reason != v1alpha1.ReasonSuspended:
		return green
	case r.Ready:
		return yellow
	}
	return red
}

// sinceText says when it began, and what that means to pods.
func (r *Report) sinceText(now time.Time) string {
	text := "not known"
	if r.Since != nil {
		text = fmt.Sprintf("%s (%s ago)", moment(*r.Since, now), duration.HumanDuration(now.Sub(r.Since.Time)))
	}
	if r.Reason == v1alpha1.ReasonSuspended && r.Since != nil {
		text += " or before"
	}
	ready := r.condition(v1alpha1.ConditionReady)
	switch {
	case r.Ready && r.Token != nil:
		text += fmt.Sprintf("; pods have a token for another %s", duration.HumanDuration(r.Token.Expires.Sub(now)))
	case r.Ready:
		text += "; pods have the credentials"
	case r.Token != nil && !now.Before(r.Token.Expires.Time):
		text += "; pods have no token since " + moment(r.Token.Expires, now)
	case ready != nil && ready.Status == "False":
		text += "; pods have no token since " + moment(ready.Since, now)
	default:
		text += "; pods have no token"
	}
	return text
}

func (r *Report) condition(kind string) *Condition {
	for i := range r.Conditions {
		if r.Conditions[i].Type == kind {
			return &r.Conditions[i]
		}
	}
	return nil
}

// nextText says whose turn it is.
func (r *Report) nextText(now time.Time) string {
	who := map[string]string{
		turnNobody: "nobody", turnOperator: "the operator", turnAuthor: "whoever may change the object", turnSecretOwner: "whoever may change the Secret",
		turnAdministrator: "the operator's administrator", turnVendor: "the vendor",
	}[r.Turn]
	if r.NextAttempt == nil && r.Turn == turnOperator {
		return who + " " + r.Next
	}
	if r.NextAttempt == nil {
		return who + ": " + r.Next
	}
	when := fmt.Sprintf("at %s (in %s)", moment(*r.NextAttempt, now), duration.HumanDuration(r.NextAttempt.Sub(now)))
	if r.Turn != turnOperator {
		return who + ": " + r.Next + "; the operator tries again " + when
	}
	first, rest, more := strings.Cut(r.Next, "; ")
	if more {
		rest = "; " + rest
	}
	return who + " " + first + " " + when + rest
}

func (r *Report) title() string {
	text := r.Namespace + "/" + r.Name
	if r.Provider != "" {
		text += ", " + r.Provider
	}
	if r.Endpoint != "" {
		text += " at " + r.Endpoint
	}
	return text + ": Secret " + r.ClientSecret + " to Secret " + r.Target
}

// facts are the rest, in a line.
func (r *Report) facts() []string {
	var facts []string
	for _, c := range r.Conditions {
		switch c.Type {
		case v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled:
			facts = append(facts, c.Type)
		default:
			facts = append(facts, fmt.Sprintf("%s=%s (%s)", c.Type, c.Status, c.Reason))
		}
	}
	if r.Failures > 0 {
		facts = append(facts, fmt.Sprintf("%d failures in a row", r.Failures))
	}
	if r.Budget != nil {
		facts = append(facts, fmt.Sprintf("%d of %d tokens today", r.Budget.Issued, r.Budget.Max))
	}
	if told := r.PodRefresh; told != nil {
		facts = append(facts, fmt.Sprintf("%d of %d mounting pods were told", told.Refreshed, told.Mounting))
	}
	if r.Mode != "" && r.Mode != string(v1alpha1.IssuanceModeFresh) {
		facts = append(facts, "endpoint issues "+r.Mode)
	}
	return facts
}

func (p *page) timeline(t *Timeline, now time.Time) {
	if t == nil {
		return
	}
	text := "issued " + moment(t.Issued, now)
	if t.Renewal != nil {
		text += ", R next attempt " + moment(*t.Renewal, now)
	}
	if now.Before(t.Expires.Time) {
		text += ", expires "
	} else {
		text += ", expired "
	}
	p.wrap("Token  ", text+moment(t.Expires, now))
	p.line("       " + t.bar(now, columns-9))
}

func (p *page) restarts(r *Report, now time.Time) {
	if len(r.Restarts) == 0 {
		return
	}
	p.line("")
	p.line("Restarts")
	for _, w := range r.Restarts {
		text := w.Workload
		if w.Last != nil {
			text += ", last " + moment(*w.Last, now)
		}
		if w.Pending {
			text += ", pending"
		}
		if w.Reason != "" {
			text += ", " + w.Reason + ": " + w.Message
		}
		p.wrap("  ", text)
	}
}

func (p *page) podUses(r *Report, now time.Time) {
	if len(r.Pods) == 0 {
		return
	}
	p.line("")
	p.line("Pods that use Secret " + r.Target)
	var rows [][]string
	for _, use := range r.Pods[:min(len(r.Pods), shownPods)] {
		rows = append(rows, []string{"  " + clip(use.Pod, 32), clip(strings.TrimSpace(use.How+" "+use.Where), 22), use.freshness(r, now)})
	}
	p.table(rows, func(row, column int, cell string) string {
		if column == 2 && r.Pods[row].StaleSince != nil {
			return p.paint(red, cell)
		}
		return cell
	})
	if more := len(r.Pods) - shownPods; more > 0 {
		p.line(fmt.Sprintf("  and %d more: see -o json", more))
	}
}

func (use *PodUse) freshness(r *Report, now time.Time) string {
	switch {
	case use.StaleSince != nil:
		return "stale since " + moment(*use.StaleSince, now)
	case use.StartedAt == nil:
		return "does not run"
	case use.How != "mount":
		return "current until renewal"
	case r.Token != nil && now.Sub(r.Token.Issued.Time) < kubeletDelay:
		return "within a minute"
	}
	return "current"
}

func (p *page) events(r *Report, now time.Time) {
	if len(r.Events) == 0 {
		return
	}
	p.line("")
	p.line("Events")
	for _, e := range r.Events[:min(len(r.Events), shownEvents)] {
		times := ""
		if e.Count > 1 {
			times = fmt.Sprintf(" (%d times)", e.Count)
		}
		p.line("  " + clip(fmt.Sprintf("%-5s %-7s %s%s: %s", duration.HumanDuration(now.Sub(e.Last.Time)), e.Type, e.Reason, times, e.Message), columns-2))
	}
}

// moment is a time in UTC, without the day if that is today.
func moment(t metav1.Time, now time.Time) string {
	at := t.UTC()
	if at.Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return at.Format("15:04:05Z")
	}
	return at.Format("2006-01-02 15:04Z")
}
