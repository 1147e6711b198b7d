// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	keepAlive   = 30 * time.Second
	// fallbackDelay is when the next address is tried beside one that does not answer, as in RFC 8305.
	fallbackDelay = 300 * time.Millisecond
	maxDialled    = 6
)

// Resolver looks a name up. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// policyDialer connects to open addresses only. It looks a name up once, checks every address, and connects to the very
// addresses that it checked. The check is repeated on the socket, where nothing can come between.
type policyDialer struct {
	policy   Policy
	resolver Resolver
}

// DialContext is for http.Transport. A refusal is a *RefusedError for errors.As.
func (d policyDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	addrs, err := d.lookup(ctx, host)
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	allowed, err := d.open(addrs)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	return d.dialFirst(ctx, interleaved(allowed), port)
}

// open returns the addresses of a name that may be dialled, or the first refusal. A public and a private address under one
// name are rebinding or a mistake, and the answer must not depend on which of them works today. It is another matter when
// an administrator has opened one: localhost is 127.0.0.1 and ::1, and 127.0.0.0/8 opens just the first.
func (d policyDialer) open(addrs []netip.Addr) ([]netip.Addr, error) {
	var open []netip.Addr
	var refusal error
	trusted := false
	for _, addr := range addrs {
		if err := d.policy.Check(addr); err != nil {
			refusal = cmp.Or(refusal, err)
			continue
		}
		open = append(open, addr)
		trusted = trusted || d.policy.opened(addr)
	}
	if refusal != nil && !trusted {
		return nil, refusal
	}
	return open, nil
}

// lookup asks for the name as it stands before it tries the search list of resolv.conf. With a pod's usual ndots:5 the
// list would come first, at five queries a dial, and a Service could take a public name's place.
func (d policyDialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	resolver := d.resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	if strings.Contains(host, ".") && !strings.HasSuffix(host, ".") {
		addrs, err := resolver.LookupNetIP(ctx, "ip", host+".")
		if notFound, ok := errors.AsType[*net.DNSError](err); !ok || !notFound.IsNotFound {
			return addrs, err
		}
	}
	return resolver.LookupNetIP(ctx, "ip", host)
}

// dialFirst returns the first connection that comes about. Each further address is tried when the one before has failed or
// has not answered for a while.
func (d policyDialer) dialFirst(ctx context.Context, addrs []netip.Addr, port string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result, len(addrs)) // so that a late one does not leak its goroutine
	dialer := net.Dialer{KeepAlive: keepAlive, ControlContext: d.control}
	dial := func(addr netip.Addr) {
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(addr.Unmap().WithZone("").String(), port))
		results <- result{conn, err}
	}
	var firstErr error
	next, pending := 0, 0
	for next < len(addrs) || pending > 0 {
		var later <-chan time.Time
		if next < len(addrs) {
			go dial(addrs[next])
			next, pending = next+1, pending+1
			timer := time.NewTimer(fallbackDelay)
			defer timer.Stop()
			later = timer.C
		}
		select {
		case <-later:
		case r := <-results:
			pending--
			if r.err == nil {
				go func() { // the losers' connections
					for range pending {
						if late := <-results; late.conn != nil {
							_ = late.conn.Close()
						}
					}
				}()
				return r.conn, nil
			}
			if firstErr == nil {
				firstErr = r.err
			}
		}
	}
	return nil, firstErr
}

// control runs with the socket's final address, after every lookup and before the connection.
func (d policyDialer) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	addrPort, err := netip.ParseAddrPort(address)
	if err != nil {
		return &RefusedError{Why: WhyInvalid}
	}
	return d.policy.Check(addrPort.Addr())
}

// interleaved alternates the address families, the resolver's favourite first, and bounds how many are tried.
func interleaved(addrs []netip.Addr) []netip.Addr {
	firstIs4 := addrs[0].Unmap().Is4()
	var preferred, fallback []netip.Addr
	for _, addr := range addrs {
		if addr.Unmap().Is4() == firstIs4 {
			preferred = append(preferred, addr)
		} else {
			fallback = append(fallback, addr)
		}
	}
	var mixed []netip.Addr
	for i := range max(len(preferred), len(fallback)) {
		if i < len(preferred) {
			mixed = append(mixed, preferred[i])
		}
		if i < len(fallback) {
			mixed = append(mixed, fallback[i])
		}
	}
	return mixed[:min(len(mixed), maxDialled)]
}
