// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// maxVerifyBody is how much of an API's answer is read: enough for the code of an error.
const maxVerifyBody = 64 << 10

// Verdict is an API's answer to whether it accepts a token.
type Verdict int

// The verdicts.
const (
	// Undecided: the API neither accepted nor refused the token. Err says why.
	Undecided Verdict = iota
	// Accepted: 2xx.
	Accepted
	// Unauthorized: 401, the token is not accepted.
	Unauthorized
	// Forbidden: 403, the token is accepted, but not for this request.
	Forbidden
)

// VerifyResult is the result of one Verify.
type VerifyResult struct {
	Verdict Verdict
	// Err is nil if and only if Verdict is Accepted. Its Kind is Rejected for Unauthorized and Forbidden, and Throttled, Unavailable or
	// InvalidRequest for Undecided.
	Err *Error
}

// Verify asks an API whether it accepts a token: one GET of address with headers (see Request.APIHeaders), sent by rt, within 15 s and until ctx is
// done. Redirects are not followed: a 3xx is Undecided.
func Verify(ctx context.Context, rt http.RoundTripper, now func() time.Time, address string, headers map[string]string) VerifyResult {
	if invalid := flow.CheckURL(address); invalid != nil {
		return undecided(invalidRequest(invalid.Field, invalid.Detail))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return undecided(unusableURL())
	}
	req.Header.Set("Accept", accept(req.URL.Path))
	req.Header.Set("User-Agent", userAgent)
	sent := setAPIHeaders(req.Header, headers)
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return undecided(unreachable(ctx, err))
	}
	defer resp.Body.Close()
	got := answer{status: resp.StatusCode, header: resp.Header, received: now(), secrets: sent}
	if got.ok() {
		return VerifyResult{Verdict: Accepted} // the body may be long, and adds nothing
	}
	if got.status >= http.StatusMultipleChoices {
		_ = got.read(ctx, resp.Body, maxVerifyBody, errorPaths) // an unreadable body has no code
	}
	switch got.status {
	case http.StatusUnauthorized:
		return VerifyResult{Unauthorized, got.denial(Rejected, "the API does not accept the token")}
	case http.StatusForbidden:
		return VerifyResult{Forbidden, got.denial(Rejected, "the API accepts the token, but not for this request")}
	case http.StatusTooManyRequests:
		return undecided(got.denial(Throttled, "the API is throttling"))
	}
	return undecided(got.denial(Unavailable, "the API neither accepted nor refused the token"))
}

// setAPIHeaders sets the headers of an API call, and returns the secrets among them.
func setAPIHeaders(h http.Header, headers map[string]string) (sent secrets) {
	for name, value := range headers {
		h[name] = []string{value}
		if _, credentials, ok := strings.Cut(value, " "); ok {
			value = credentials
		}
		if len(value) >= minEcho { // shorter values are IDs of a client or a sandbox
			sent = sent.and(value)
		}
	}
	return sent
}

func undecided(err *Error) VerifyResult { return VerifyResult{Undecided, err} }

// denial is failure with the error code of the WWW-Authenticate header if the body has none.
func (a answer) denial(kind Kind, detail string) *Error {
	e := a.failure(kind, detail)
	if code := challengeCode(a.header.Values("WWW-Authenticate")); e.Code == "" && code != "" {
		e.setCode(code)
	}
	return e
}

// challenge matches the error attribute of RFC 6750 section 3.
var challenge = regexp.MustCompile(`(?:^|[\s,])error="?([^",\s]*)`)

func challengeCode(headers []string) string {
	for _, header := range headers {
		if found := challenge.FindStringSubmatch(header); found != nil {
			return found[1]
		}
	}
	return ""
}

// accept returns the Accept header: anything, but Adobe's schema registry requires a media type of its own.
// https://experienceleague.adobe.com/en/docs/experience-platform/xdm/api/getting-started
func accept(path string) string {
	if strings.Contains(path, "/schemaregistry/") {
		return "application/vnd.adobe.xed-id+json"
	}
	return "application/json, */*;q=0.5"
}
