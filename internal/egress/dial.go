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
	// fallbackDelay is how long to wait for one address before the next one is tried in parallel, as in RFC 8305.
	fallbackDelay = 300 * time.Millisecond
	maxDialled    = 6
)

// Resolver looks up a name. *net.Resolver implements it.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// policyDialer connects only to addresses that the policy allows. It looks up a name once, checks every address, and connects to the addresses that it
// checked. The check is repeated on the socket.
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

// open returns the addresses of a name that may be dialled, or the first refusal. A name with both public and private addresses means DNS rebinding or a
// mistake, and the result must not depend on which of them works today. If an administrator opened one of them, the others are only skipped:
// localhost is 127.0.0.1 and ::1, and 127.0.0.0/8 opens just the first.
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

// lookup tries the name as an absolute one before the search list of resolv.conf. With a pod's usual ndots:5 the list would come first, with five
// queries per dial, and a Service could shadow a public name.
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

// dialFirst returns the first connection that is established. Each further address is tried once the previous one has failed, or has not answered for
// fallbackDelay.
func (d policyDialer) dialFirst(ctx context.Context, addrs []netip.Addr, port string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		conn net.Conn
		err  error
	}
	results := make(chan result, len(addrs)) // buffered, so that late ones do not leak their goroutines
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

// control checks the socket's final address, after the lookup and before the connection.
func (d policyDialer) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	addrPort, err := netip.ParseAddrPort(address)
	if err != nil {
		return &RefusedError{Why: WhyInvalid}
	}
	return d.policy.Check(addrPort.Addr())
}

// interleaved alternates the address families, beginning with that of the first address, and limits how many are tried.
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
