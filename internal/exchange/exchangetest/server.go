// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"crypto/rsa"
	"crypto/tls"
	"net/http"
	"sync"
	"sync/atomic"
)

// Server serves every system, each on a port of its own. It is safe for concurrent use.
type Server struct {
	*store
	behaviour atomic.Pointer[Behaviour]
	authority *authority
	signer    *signer
	addresses map[System]string
	servers   []*http.Server
	serving   sync.WaitGroup
	done      chan struct{} // closed by Close
	close     func() error

	stop    sync.Mutex
	stopped bool
	running sync.WaitGroup // of requests; none begins once stopped
}

// begin counts a request as running, or reports that the server is closed.
func (s *Server) begin() bool {
	s.stop.Lock()
	defer s.stop.Unlock()
	if !s.stopped {
		s.running.Add(1)
	}
	return !s.stopped
}

// URL is the base address of a system, as it listens: https://127.0.0.1:PORT if Options.Addresses says nothing else.
func (s *Server) URL(system System) string { return "https://" + s.addresses[system] }

// Host is the host:port of a system.
func (s *Server) Host(system System) string { return s.addresses[system] }

// TokenURL is the token endpoint of Experiture or OAuth2, whose whole address is a setting; empty for the others.
func (s *Server) TokenURL(system System) string {
	switch system {
	case Experiture:
		return s.URL(system) + ExperitureTokenPath
	case OAuth2:
		return s.URL(system) + OAuth2TokenPath
	}
	return ""
}

// APIURL is the API of a system that is called with a token.
func (s *Server) APIURL(system System) string { return s.URL(system) + APIPath }

// CABundle is the PEM certificate of the authority that all systems' certificates come from.
func (s *Server) CABundle() []byte { return s.authority.pem }

// PublicKey verifies the JWTs that the server issued, RS256 all of them.
func (s *Server) PublicKey() *rsa.PublicKey { return &s.signer.key.PublicKey }

// HTTPClient returns a new client that trusts the server.
func (s *Server) HTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.authority.pool},
		ForceAttemptHTTP2: true,
	}}
}

// Behaviour returns the present behaviour.
func (s *Server) Behaviour() Behaviour { return *s.behaviour.Load() }

// SetBehaviour changes the behaviour from the next request on.
func (s *Server) SetBehaviour(b Behaviour) { s.behaviour.Store(&b) }
