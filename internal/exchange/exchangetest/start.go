// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

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
	signer, err := newSigner(options.SigningKey, options.ReuseSignature)
	if err != nil {
		return nil, err
	}
	s := &Server{
		store:     newStore(options),
		authority: authority,
		signer:    signer,
		addresses: map[System]string{},
		done:      make(chan struct{}),
	}
	s.close = sync.OnceValue(s.shutDown)
	s.behaviour.Store(&options.Behaviour)
	for system, vendor := range vendors() {
		if err := s.listen(options.Addresses[system], handler{s, system, vendor}); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

func (s *Server) listen(on string, h handler) error {
	address := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
	if on != "" {
		var err error
		if address, err = net.ResolveTCPAddr("tcp", on); err != nil {
			return fmt.Errorf("find the address of %s: %w", h.system, err)
		}
	}
	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for %s: %w", h.system, err)
	}
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 30 * time.Second,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{s.authority.leaf}},
		ErrorLog:          log.New(io.Discard, "", 0), // a client that gives up is nothing to report
	}
	s.addresses[h.system] = listener.Addr().String()
	s.servers = append(s.servers, server)
	s.serving.Go(func() { _ = server.ServeTLS(listener, "", "") }) // it always ends with ErrServerClosed
	return nil
}

// Close ends all connections, hanging ones too, and returns when nothing is left running.
func (s *Server) Close() error { return s.close() }

func (s *Server) shutDown() error {
	close(s.done)
	s.stop.Lock()
	s.stopped = true
	s.stop.Unlock()
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	s.serving.Wait()
	s.running.Wait()
	return errors.Join(errs...)
}
