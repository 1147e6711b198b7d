// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// maxBody is far more than any request needs.
const maxBody = 256 << 10

// handler answers the requests to one system.
type handler struct {
	*Server
	system System
	vendor vendor
}

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !h.begin() {
		panic(http.ErrAbortHandler)
	}
	defer h.running.Done()
	now, behaviour := h.now(), h.Behaviour()
	c := &call{
		store:     h.store,
		signer:    h.signer,
		base:      h.URL(h.system),
		system:    h.system,
		path:      r.URL.Path,
		request:   r,
		behaviour: behaviour,
		now:       now,
		clock:     now.Add(behaviour.ClockOffset),
	}
	judge := h.vendor.endpoints[c.path]
	if judge == nil {
		c.path = "other"
		judge = always(&refusal{status: http.StatusNotFound, code: "not_found", description: "there is nothing at this path"})
	}
	h.serve(r.Context(), w, c, judge)
}

// serve answers one request and counts it, however it ends.
func (h handler) serve(ctx context.Context, w http.ResponseWriter, c *call, judge endpoint) {
	status, asksForToken := 0, c.path != APIPath
	if asksForToken {
		h.arrive(c.system, c.now)
		defer h.leave(c.system)
	}
	defer func() { h.count(AnswerKey{c.system, c.path, status}) }()

	body, err := io.ReadAll(http.MaxBytesReader(w, c.request.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		judge = always(&refusal{status: http.StatusRequestEntityTooLarge, code: "invalid_request", description: "the body is too large"})
	} else if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	c.body = body
	if asksForToken {
		h.wait(ctx, c.behaviour.Latency)
	}
	a := h.answer(ctx, w, c, judge)
	h.send(ctx, w, c, a)
	status = a.status
}

func always(no *refusal) endpoint { return func(*call) (*answer, *refusal) { return nil, no } }

// answer returns what to send. It does not return if a fault keeps the server from answering.
func (h handler) answer(ctx context.Context, w http.ResponseWriter, c *call, judge endpoint) *answer {
	if hook := c.behaviour.Fault; hook != nil {
		c.fault = hook(h.describe(c))
	}
	f := c.fault
	if f == nil {
		f = &Fault{}
	}
	h.wait(ctx, f.Delay)
	switch {
	case f.Hang:
		h.hang(ctx)
	case f.Reset:
		reset(w)
	case f.Status != 0:
		return h.vendor.canned(c)
	}
	a, no := judge(c)
	if no != nil {
		return h.vendor.refuse(c, no)
	}
	f.spoil(a)
	c.rememberSpoilt(a)
	return a
}

// describe is what the fault hook is told of a request.
func (h handler) describe(c *call) Request {
	from := c.claimedClient()
	h.mu.Lock()
	defer h.mu.Unlock()
	return Request{System: c.system, Path: c.path, ClientID: from, Count: h.counts.nth(c.system, c.path, from), At: c.now}
}
