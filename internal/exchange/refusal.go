// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"mime"
	"net/http"
)

// malformed is a 2xx without a usable token. detail is in our own fixed words.
func (a answer) malformed(detail string) *Error { return a.failure(Malformed, detail) }

// unusable is malformed of an answer that did hold a token.
func (a answer) unusable(detail string) *Error {
	e := a.malformed(detail)
	e.Issued = true
	return e
}

// refusal types an answer that is no 2xx.
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
		return a.failure(Unavailable, "the endpoint redirects, which is not followed")
	case a.status >= 500:
		return a.failure(Unavailable, "the endpoint failed")
	}
	return a.failure(Unavailable, "the endpoint gave an unexpected answer")
}

func (a answer) failure(kind Kind, detail string) *Error {
	for _, name := range []string{"access_token", "token"} {
		a.secrets = a.secrets.and(a.said.at(name).string()) // a token that cannot be used is one all the same
	}
	e := &Error{Kind: kind, Status: a.status, CorrelationID: correlationID(a.header, a.said, a.secrets), Detail: detail, HTML: isHTML(a.header)}
	e.setCode(errorCode(a.said))
	if date := a.date(); !date.IsZero() && !a.sent.IsZero() {
		e.Skew = date.Sub(a.sent)
	}
	e.RetryAfter, e.HasRetryAfter = retryAfter(a.header.Get("Retry-After"), a.present())
	return e
}

// setCode says which error code the answer has, if it may be shown, or that it has another one.
func (e *Error) setCode(code string) {
	e.Code = shownCode(code)
	e.UnregisteredCode = code != "" && e.Code == ""
}

// errorCode finds the code in the error shapes that are known: RFC 6749's string, Experiture's object, and the number that Adobe's
// gateway sends. A problem+json has none that may be shown. Empty: there is none.
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
