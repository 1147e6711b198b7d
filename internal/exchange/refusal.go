// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"mime"
	"net/http"
)

// malformed is the failure of a 2xx without a usable token. detail is fixed text of ours.
func (a answer) malformed(detail string) *Error { return a.failure(Malformed, detail) }

// unusable is malformed for an answer that has a token.
func (a answer) unusable(detail string) *Error {
	e := a.malformed(detail)
	e.Issued = true
	return e
}

// refusal classifies an answer that is not a 2xx.
func (a answer) refusal() *Error {
	switch {
	case a.status == http.StatusTooManyRequests:
		refused := a.failure(Throttled, "the endpoint is throttling")
		if !refused.HasRetryAfter {
			refused.RetryAfter, refused.HasRetryAfter = quotaReset(a.header, a.present())
		}
		return refused
	case a.status == http.StatusBadRequest, a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		return a.failure(Rejected, "the endpoint refused the credentials or the request")
	case a.status >= 300 && a.status <= 399:
		return a.failure(Unavailable, "the endpoint redirects, and redirects are not followed")
	case a.status >= 500:
		return a.failure(Unavailable, "the endpoint failed")
	}
	return a.failure(Unavailable, "the endpoint gave an unexpected answer")
}

func (a answer) failure(kind Kind, detail string) *Error {
	for _, name := range []string{"access_token", "token"} {
		a.secrets = a.secrets.and(a.said.at(name).string()) // an unusable token is a secret, too
	}
	e := &Error{Kind: kind, Status: a.status, CorrelationID: correlationID(a.header, a.said, a.secrets), Detail: detail, HTML: isHTML(a.header)}
	e.setCode(errorCode(a.said))
	if date := a.date(); !date.IsZero() && !a.sent.IsZero() {
		e.Skew = date.Sub(a.sent)
	}
	e.RetryAfter, e.HasRetryAfter = retryAfter(a.header.Get("Retry-After"), a.present())
	return e
}

// setCode sets the error code if it may be shown, and UnregisteredCode otherwise.
func (e *Error) setCode(code string) {
	e.Code = shownCode(code)
	e.UnregisteredCode = code != "" && e.Code == ""
}

// errorCode returns the error code from RFC 6749's string, Experiture's object or the number that Adobe's gateway sends. Empty: none. A
// problem+json has no code that may be shown.
func errorCode(said *members) string {
	switch e := said.at("error"); e.kind {
	case isString:
		return e.text
	case isObject:
		return said.at("error.code").string()
	}
	code := said.at("error_code")
	if code.kind == isNumber {
		return code.text
	}
	return code.string()
}

func isHTML(header http.Header) bool {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	return err == nil && (kind == "text/html" || kind == "application/xhtml+xml")
}
