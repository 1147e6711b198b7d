// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what a server keeps for its whole life. The zero value is useful.
type Options struct {
	// Now is the true time, by which tokens expire; nil means time.Now.
	Now func() time.Time
	// Rand is where tokens and ids come from; nil means crypto/rand.
	Rand io.Reader
	// SigningKey signs the tokens; nil means a 2048-bit key that is generated once a process.
	SigningKey *rsa.PrivateKey
	// ReuseSignature signs one token and puts its signature under all others, which then do not verify: for benchmarks, in which signing
	// (about a millisecond each) would be the limit.
	ReuseSignature bool
	// Forget drops a token this long after its expiry, from Tokens and Secrets too, and what clients sent after the same time: for runs of
	// hours. Zero keeps everything.
	Forget time.Duration
	// History is how many seconds Stats.PerSecond goes back; zero means 3600.
	History int
	// Addresses are where a system listens, host:port. A system that is not among them listens on a loopback port that is free.
	Addresses map[System]string
	// Hosts are the names and addresses that the certificate is good for, beside localhost and the loopback addresses.
	Hosts []string
	// Behaviour is the first; SetBehaviour changes it.
	Behaviour Behaviour
}

// Behaviour is what may change while a server runs. The zero value is that of a good server.
type Behaviour struct {
	// Lifetime of tokens whose Client has none; zero means one hour.
	Lifetime time.Duration
	// Latency is added to every answer of a token endpoint.
	Latency time.Duration
	// ClockOffset is how far the endpoints' clocks are ahead: it shows in the Date header, in iat, exp and created_at, and in the judgement
	// of assertions. Tokens live as long as without it.
	ClockOffset time.Duration
	// Fault, if set, is asked before every answer; nil means that this one is good. It is called from many goroutines.
	Fault func(Request) *Fault
}

// Server serves every system, each on a port of its own. It is safe for concurrent use.
type Server struct {
	options   Options
	behaviour atomic.Pointer[Behaviour]
	authority *authority
	signer    *signer
	addresses map[System]string
	servers   []*http.Server
	serving   sync.WaitGroup
	done      chan struct{}
	close     func() error

	mu      sync.Mutex // guards what follows
	clients map[clientKey]Client
	ledger  ledger
	secrets secrets
	counts  counts
}

// Start returns a server that listens. Close it.
func Start(options Options) (*Server, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Rand == nil {
		options.Rand = rand.Reader
	}
	if options.History == 0 {
		options.History = 3600
	}
	authority, err := newAuthority(options.Hosts)
	if err != nil {
		return nil, err
	}
	signer, err := newSigner(options)
	if err != nil {
		return nil, err
	}
	s := &Server{
		options:   options,
		authority: authority,
		signer:    signer,
		addresses: map[System]string{},
		done:      make(chan struct{}),
		clients:   map[clientKey]Client{},
		ledger:    newLedger(options.Forget),
		secrets:   newSecrets(options.Forget),
		counts:    newCounts(options.History),
	}
	s.close = sync.OnceValue(s.shutDown)
	s.behaviour.Store(&options.Behaviour)
	for _, system := range systems() {
		if err := s.listen(system); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *Server) listen(system System) error {
	address := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	if asked := s.options.Addresses[system]; asked != "" {
		var err error
		if address, err = net.ResolveTCPAddr("tcp", asked); err != nil {
			return fmt.Errorf("find the address of %s: %w", system, err)
		}
	}
	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for %s: %w", system, err)
	}
	server := &http.Server{
		Handler:           s.handler(system),
		ReadHeaderTimeout: 30 * time.Second,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{s.authority.leaf}},
		ErrorLog:          log.New(io.Discard, "", 0), // a client that gives up is nothing to report
	}
	s.addresses[system] = listener.Addr().String()
	s.servers = append(s.servers, server)
	s.serving.Go(func() { _ = server.ServeTLS(listener, "", "") }) // it always ends with ErrServerClosed
	return nil
}

// Close ends all connections, hanging ones too, and returns when nothing is left running.
func (s *Server) Close() error { return s.close() }

func (s *Server) shutDown() error {
	close(s.done)
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	s.serving.Wait()
	return errors.Join(errs...)
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

// random returns n bytes of chance.
func (s *Server) random(n int) ([]byte, error) {
	b := make([]byte, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.options.Rand, b); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return b, nil
}
