// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"time"
)

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
