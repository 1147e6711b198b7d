// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"syscall"
)

// unreachable is a failure to get an answer. Its detail is fixed, since the cause's text may contain addresses and headers.
func unreachable(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return &Error{Kind: Unavailable, Detail: networkDetail(err), Untrusted: is[x509.UnknownAuthorityError](err), Cause: err}
}

func networkDetail(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "the attempt was cancelled"
	case isProxyUnreachable(err):
		return "the proxy cannot be reached"
	case isProxyRefusal(err):
		return "the proxy refused the connection"
	case is[*net.DNSError](err):
		return "the DNS lookup failed"
	case isTimeout(err):
		return "the endpoint did not answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case isAny(err, syscall.EHOSTUNREACH, syscall.ENETUNREACH):
		return "the endpoint's network is unreachable"
	case isAny(err, syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF):
		return "the connection was reset"
	}
	return cmp.Or(tlsDetail(err), "the endpoint cannot be reached")
}

// tlsDetail returns empty for an error that is not about TLS.
func tlsDetail(err error) string {
	invalid, _ := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case is[x509.UnknownAuthorityError](err):
		return "the endpoint's certificate is not trusted"
	case is[x509.HostnameError](err):
		return "the endpoint's certificate is for another name"
	case is[x509.CertificateInvalidError](err) && invalid.Reason == x509.Expired:
		return "the endpoint's certificate has expired or is not yet valid"
	case is[*tls.CertificateVerificationError](err), is[x509.CertificateInvalidError](err):
		return "the endpoint's certificate is not valid"
	case is[tls.RecordHeaderError](err), is[tls.AlertError](err), isRemoteAlert(err), errors.Is(err, http.ErrSchemeMismatch):
		return "the TLS handshake failed"
	}
	return ""
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// isRemoteAlert reports whether the peer sent a TLS alert, for which crypto/tls returns a network error with this operation.
func isRemoteAlert(err error) bool {
	alert, ok := errors.AsType[*net.OpError](err)
	return ok && alert.Op == "remote error"
}

// isProxyUnreachable reports whether net/http failed to connect to a proxy. What is wrong with the proxy's address must not pass for the endpoint's.
func isProxyUnreachable(err error) bool {
	dial, ok := errors.AsType[*net.OpError](err)
	return ok && dial.Op == "proxyconnect"
}

// isProxyRefusal reports whether a proxy answered that it does not connect: the transport's error then has this method.
func isProxyRefusal(err error) bool {
	return is[interface {
		error
		RefusedByProxy()
	}](err)
}
