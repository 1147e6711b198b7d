// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
)

// spy is the attacker's server. It records everything that it receives.
type spy struct {
	*httptest.Server
	mu   sync.Mutex
	seen [][]byte
}

// newSpy starts a spy at an address; without answer it responds with an empty 200.
func newSpy(t *testing.T, address string, answer http.HandlerFunc) *spy {
	t.Helper()
	s := &spy{}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole, _ := httputil.DumpRequest(r, true)
		s.mu.Lock()
		s.seen = append(s.seen, whole)
		s.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	s.Listener.Close()
	s.Listener = listener
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *spy) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

// host is host:port.
func (s *spy) host() string { return strings.TrimPrefix(s.URL, "https://") }

// caBundle returns the spy's certificate.
func (s *spy) caBundle() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}
