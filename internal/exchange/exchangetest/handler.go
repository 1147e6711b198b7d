// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// maxBody is far more than any request needs.
const maxBody = 256 << 10

// handler serves one system.
func (s *Server) handler(system System) http.Handler {
	known := endpoints()[system]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now, behaviour := s.options.Now(), s.Behaviour()
		c := &call{
			server:    s,
			system:    system,
			path:      r.URL.Path,
			request:   r,
			behaviour: behaviour,
			now:       now,
			clock:     now.Add(behaviour.ClockOffset),
		}
		judge := known[c.path]
		if judge == nil {
			c.path = "other"
			judge = always(&refusal{status: http.StatusNotFound, code: "not_found", description: "there is nothing at this path"})
		}
		s.serve(r.Context(), w, c, judge)
	})
}

// serve answers one request and counts it, however it ends.
func (s *Server) serve(ctx context.Context, w http.ResponseWriter, c *call, judge endpoint) {
	status, asksForToken := 0, c.path != APIPath
	if asksForToken {
		s.arrive(c)
		defer s.leave(c)
	}
	defer func() { s.count(c, status) }()

	body, err := io.ReadAll(http.MaxBytesReader(w, c.request.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		judge = always(&refusal{status: http.StatusRequestEntityTooLarge, code: "invalid_request", description: "the body is too large"})
	} else if err != nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	c.body = body
	if asksForToken {
		s.wait(ctx, c.behaviour.Latency)
	}
	a := s.answer(ctx, w, c, judge)
	s.send(ctx, w, c, a)
	status = a.status
}

func always(no *refusal) endpoint { return func(*call) (*answer, *refusal) { return nil, no } }

// answer finds out what to send. It does not return if a fault keeps the server from answering.
func (s *Server) answer(ctx context.Context, w http.ResponseWriter, c *call, judge endpoint) *answer {
	if hook := c.behaviour.Fault; hook != nil {
		c.fault = hook(s.describe(c))
	}
	f := c.fault
	if f == nil {
		f = &Fault{}
	}
	s.wait(ctx, f.Delay)
	switch {
	case f.Hang:
		s.hang(ctx)
	case f.Reset:
		reset(w)
	case f.Status != 0:
		return f.canned(c)
	}
	a, no := judge(c)
	if no != nil {
		return c.shape(no)
	}
	f.spoil(a)
	a.remember(c)
	return a
}

// describe tells the fault hook what came.
func (s *Server) describe(c *call) Request {
	from := c.claimedClient()
	s.mu.Lock()
	defer s.mu.Unlock()
	return Request{System: c.system, Path: c.path, ClientID: from, Count: s.counts.nth(c.system, c.path, from), At: c.now}
}

// wait pauses for d; if the client goes or the server is closed meanwhile, the request ends.
func (s *Server) wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return
	case <-ctx.Done():
	case <-s.done:
	}
	panic(http.ErrAbortHandler)
}

func (s *Server) hang(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-s.done:
	}
	panic(http.ErrAbortHandler)
}

// reset breaks the connection. It does not return.
func reset(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok { // HTTP/1.1; in HTTP/2 the panic resets the stream
		if conn, _, err := hijacker.Hijack(); err == nil {
			if secure, ok := conn.(*tls.Conn); ok {
				if tcp, ok := secure.NetConn().(*net.TCPConn); ok {
					_ = tcp.SetLinger(0) // what makes closing a reset
					_ = tcp.Close()
				}
			}
			_ = conn.Close()
		}
	}
	panic(http.ErrAbortHandler)
}
