// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// lifetime is that of honest tokens, which are renewed about every 14 s.
const lifetime = 30 * time.Second

// servers are the token endpoints: an honest one, and one hostile one per bomb, because the gate limits concurrent calls of an endpoint.
type servers struct {
	authority []byte // PEM
	honest    *httptest.Server
	hostile   []*httptest.Server

	mu      sync.Mutex
	asked   func(client string, at time.Time)
	waiting int
	all     chan struct{}
	thrown  int
}

func startServers() *servers {
	s := &servers{all: make(chan struct{})}
	s.honest = start(http.HandlerFunc(s.issue))
	for i := range many {
		s.hostile = append(s.hostile, start(bomber{s, answers()[i%len(answers())]}))
	}
	s.authority = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.honest.Certificate().Raw})
	return s
}

func start(handler http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	return server
}

func (s *servers) close() {
	for _, server := range append(s.hostile, s.honest) {
		server.Close()
	}
}

// issue issues a token to everyone.
func (s *servers) issue(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	client := r.FormValue("client_id")
	if user, _, ok := r.BasicAuth(); ok {
		client = user
	}
	s.mu.Lock()
	if s.asked != nil {
		s.asked(client, at)
	}
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, at.UnixNano(), int(lifetime.Seconds()))
}

// bomber answers with something that is larger in memory than on the wire, at the same time as all others.
type bomber struct {
	*servers
	answer string
}

func (b bomber) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.together(r)
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, b.answer)
}

// together returns once all bombs wait for their answers, or after three seconds.
func (s *servers) together(r *http.Request) {
	s.mu.Lock()
	s.waiting++
	s.thrown++
	ready := s.all
	if s.waiting == many {
		close(s.all)
		s.waiting, s.all = 0, make(chan struct{})
	}
	s.mu.Unlock()
	select {
	case <-ready:
	case <-r.Context().Done():
	case <-time.After(3 * time.Second):
	}
}

// answers are JSON objects of 1 MiB.
func answers() []string {
	fill := func(before, piece, after string) string {
		return before + strings.Repeat(piece, (1<<20-len(before)-len(after))/len(piece)) + after
	}
	return []string{
		fill(`{"a":[{"":0}`, `,{"":0}`, `]}`),
		fill(`{"scope":[""`, `,""`, `]}`),
		fill(`{"access_token":"`, `x`, `"}`),
		fill(`{"":0`, `,"":0`, `}`),
	}
}
