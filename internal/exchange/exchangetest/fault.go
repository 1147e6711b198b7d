// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"net/http"
	"strings"
	"time"
)

// Request is what a Behaviour's Fault hook is told.
type Request struct {
	System System
	Path   string
	// ClientID is who the sender says it is, unverified; for an API request, whose token it is. Empty if that cannot be told.
	ClientID string
	// Count is how many requests of this client have come to this path, this one included.
	Count int
	// At is the true time.
	At time.Time
}

// Fault is what goes wrong with one request. What it can do comes in the order of the fields: an endpoint may wait, then hang, or reset the
// connection, or give a canned answer; without these, the request is judged and the answer spoilt.
type Fault struct {
	// Delay comes before everything else.
	Delay time.Duration
	// Hang gives no answer until the client goes away or the server is closed.
	Hang bool
	// Reset breaks the connection: a TCP reset in HTTP/1.1, a reset stream in HTTP/2.
	Reset bool
	// Status, if not zero, is a canned answer: nothing is judged or issued.
	Status int
	// Body of the canned answer; nil means the system's own error for that status.
	Body []byte

	// Expired issues a token whose life ended a minute ago.
	Expired bool
	// Edit changes the JSON object of a good answer.
	Edit func(map[string]any)
	// Rewrite changes the bytes of a good answer.
	Rewrite func([]byte) []byte

	// Header is set on the answer, canned or not.
	Header http.Header
	// Drip sends the body byte by byte with this pause.
	Drip time.Duration
}

// Answer is a canned answer without a body but the system's own error.
func Answer(status int) *Fault { return &Fault{Status: status} }

// Throttled is a 429 with a Retry-After, seconds or a date; empty: without one.
func Throttled(retryAfter string) *Fault {
	f := &Fault{Status: http.StatusTooManyRequests}
	if retryAfter != "" {
		f.Header = http.Header{"Retry-After": {retryAfter}}
	}
	return f
}

// Empty is an answer without a body.
func Empty(status int) *Fault { return &Fault{Status: status, Body: []byte{}} }

// HTML is an answer as a proxy or a login page gives it.
func HTML(status int) *Fault {
	return &Fault{
		Status: status,
		Body:   []byte("<!doctype html><html><body><h1>" + http.StatusText(status) + "</h1></body></html>\n"),
		Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
	}
}

// Garbage is a 200 whose body is no JSON.
func Garbage() *Fault {
	return &Fault{Status: http.StatusOK, Body: []byte(`{"access_token": "cut off in the mid`), Header: http.Header{"Content-Type": {"application/json"}}}
}

// Oversized is a 200 of 2 MiB, a valid JSON object with a token at its end.
func Oversized() *Fault {
	body := `{"padding":"` + strings.Repeat("x", 2<<20) + `","access_token":"oversized-token","token_type":"Bearer","expires_in":3600}`
	return &Fault{Status: http.StatusOK, Body: []byte(body), Header: http.Header{"Content-Type": {"application/json"}}}
}

// Redirect sends the client elsewhere; 307 and 308 ask it to repeat the body there.
func Redirect(status int, to string) *Fault {
	return &Fault{Status: status, Body: []byte{}, Header: http.Header{"Location": {to}}}
}

// Hang never answers.
func Hang() *Fault { return &Fault{Hang: true} }

// Reset breaks the connection.
func Reset() *Fault { return &Fault{Reset: true} }

// Drip gives a good answer, byte by byte.
func Drip(pause time.Duration) *Fault { return &Fault{Drip: pause} }

// Expired issues a dead token.
func Expired() *Fault { return &Fault{Expired: true} }

// Unsafe issues a token that would split a header.
func Unsafe() *Fault {
	return &Fault{Edit: func(body map[string]any) {
		for _, field := range []string{"access_token", "token"} {
			if token, ok := body[field].(string); ok {
				body[field] = token + "\r\nX-Injected: yes"
			}
		}
	}}
}

// BOM puts a byte order mark before a good answer.
func BOM() *Fault {
	return &Fault{Rewrite: func(b []byte) []byte { return append([]byte("\ufeff"), b...) }}
}

// PlainText labels a good answer as text.
func PlainText() *Fault { return &Fault{Header: http.Header{"Content-Type": {"text/plain"}}} }

// Without leaves fields out of a good answer.
func Without(fields ...string) *Fault {
	return &Fault{Edit: func(body map[string]any) {
		for _, field := range fields {
			delete(body, field)
		}
	}}
}

// spoil applies what a fault does to a judged answer.
func (f *Fault) spoil(a *answer) {
	if f.Edit != nil && a.fields != nil {
		f.Edit(a.fields)
	}
	a.rewrite = f.Rewrite
}
