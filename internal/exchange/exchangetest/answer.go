// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"time"
)

const (
	mediaForm      = "application/x-www-form-urlencoded"
	mediaJSON      = "application/json"
	mediaMultipart = "multipart/form-data"
	mediaProblem   = "application/problem+json"
)

// answer is what will be sent: fields as a JSON object, else raw.
type answer struct {
	status  int
	header  http.Header
	fields  map[string]any
	raw     []byte
	rewrite func([]byte) []byte // nil: as it is
}

// good is an answer without an error. Tokens are not for caches (RFC 6749 section 5.1).
func good(fields map[string]any) *answer {
	return &answer{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {mediaJSON}, "Cache-Control": {"no-store"}, "Pragma": {"no-cache"}},
		fields: fields,
	}
}

// remember records the tokens that a fault has put instead of the issued one.
func (a *answer) remember(c *call) {
	if c.fault == nil {
		return
	}
	for _, value := range a.fields {
		if text, ok := value.(string); ok && len(text) >= 16 {
			c.sent(text)
		}
	}
}

// send writes an answer, with the headers and the pace that a fault wants.
func (s *Server) send(ctx context.Context, w http.ResponseWriter, c *call, a *answer) {
	body := a.raw
	if a.fields != nil {
		encoded, err := json.Marshal(a.fields)
		if err != nil {
			panic(err) // a fault's Edit put something in that is no JSON: a mistake of the test
		}
		body = append(encoded, '\n')
	}
	if a.rewrite != nil {
		body = a.rewrite(body)
	}
	maps.Copy(w.Header(), a.header)
	w.Header().Set("Date", c.clock.UTC().Format(http.TimeFormat))
	var drip time.Duration
	if c.fault != nil {
		maps.Copy(w.Header(), c.fault.Header)
		drip = c.fault.Drip
	}
	w.WriteHeader(a.status)
	if drip <= 0 {
		_, _ = w.Write(body) // the client may have gone
		return
	}
	for i := range body {
		_, _ = w.Write(body[i : i+1])
		_ = http.NewResponseController(w).Flush()
		s.wait(ctx, drip)
	}
}
