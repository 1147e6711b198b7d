// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
	"time"
)

// trial writes the result first, then what it rests on.
func (p *page) trial(t *Trial, now time.Time) {
	switch {
	case t.Token == nil:
		p.line(p.paint(red, "No token: "+t.Reason))
		p.wrap("  ", t.Message)
	case t.Token.Expires == nil:
		p.line(p.paint(green, "The credentials can be used; they do not expire"))
	default:
		p.line(p.paint(green, fmt.Sprintf("A %s token for %s, until %s", t.Token.Type, t.Token.Lifetime, moment(*t.Token.Expires, now))))
		p.line("  the operator would renew it at " + moment(*t.Token.Renewal, now))
	}
	if t.Token != nil && len(t.Token.Granted) > 0 {
		p.wrap("  granted scopes: ", strings.Join(t.Token.Granted, " "))
	}
	if t.Token != nil && len(t.Token.Claims) > 0 {
		p.wrap("  claims: ", strings.Join(t.Token.Claims, ", "))
	}
	if t.Request == nil {
		p.line("  nothing was sent")
		return
	}
	p.line("")
	p.line(clip(t.Request.Method+" "+t.Request.URL, columns))
	p.parts("  ", ": ", t.Request.Headers)
	p.line("")
	p.parts("  ", " = ", t.Request.Body)
	if t.Answer == nil {
		return
	}
	p.line("")
	p.line(strings.TrimSpace(fmt.Sprintf("HTTP %d %s", t.Answer.Status, t.Answer.ContentType)))
	p.parts("  ", ": ", t.Answer.Shape)
}

func (p *page) parts(indent, between string, parts []Part) {
	for _, part := range parts {
		p.wrap(indent, part.Name+between+part.Value)
	}
}
