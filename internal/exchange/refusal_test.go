// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

func asError(t *testing.T, err error) *exchange.Error {
	t.Helper()
	failed, ok := errors.AsType[*exchange.Error](err)
	if !ok {
		t.Fatalf("not an *exchange.Error: %v", err)
	}
	return failed
}

func TestExchangeClassifiesRefusals(t *testing.T) {
	t.Parallel()
	var (
		experiture = ask{Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{}}}
		apsis      = ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}}
		auth0      = ask{Provider: v1alpha1.Provider{Auth0: &v1alpha1.Auth0{}}}
		adobe      = ask{Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{}}}
		account    = serviceAccount()
	)
	tests := map[string]struct {
		provider ask // experiture unless set
		status   int
		header   map[string]string
		body     string
		want     exchange.Error
		text     string
	}{
		"RFC 6749": {
			status: 401, body: `{"error":"invalid_client","error_description":"no client etl with hunter2-hunter2"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, Code: "invalid_client"},
			text: "the endpoint refused the credentials or the request: HTTP 401, error invalid_client",
		},
		"Experiture's envelope": {
			status: 403, header: map[string]string{"X-Correlation-Id": "0f8fad5b-d9cb-469f-a165-70867728950e"},
			body: `{"success":false,"correlationId":"in-the-body","error":{"code":"CDP_ETL.AUTH.FORBIDDEN","message":"m","details":{},"remediation":"r"}}`,
			want: exchange.Error{
				Kind: exchange.Rejected, Status: 403, Code: "CDP_ETL.AUTH.FORBIDDEN", CorrelationID: "0f8fad5b-d9cb-469f-a165-70867728950e",
			},
			text: "the endpoint refused the credentials or the request: HTTP 403, error CDP_ETL.AUTH.FORBIDDEN",
		},
		"Experiture's rate limit": {
			status: 429, header: map[string]string{"Retry-After": "2"},
			body: `{"success":false,"error":{"code":"CDP_ETL.RATE.LIMITED","message":"m"}}`,
			want: exchange.Error{
				Kind: exchange.Throttled, Status: 429, Code: "CDP_ETL.RATE.LIMITED", RetryAfter: 2 * time.Second, HasRetryAfter: true,
			},
			text: "the endpoint is throttling: HTTP 429, error CDP_ETL.RATE.LIMITED",
		},
		"correlation id in the body": {
			status: 401, body: `{"success":false,"correlationId":"in-the-body","error":{"code":"CDP_ETL.AUTH.UNAUTHORIZED"}}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, Code: "CDP_ETL.AUTH.UNAUTHORIZED", CorrelationID: "in-the-body"},
			text: "the endpoint refused the credentials or the request: HTTP 401, error CDP_ETL.AUTH.UNAUTHORIZED",
		},
		"problem+json, as APSIS One sends it": {
			provider: apsis, status: 401, header: map[string]string{"Content-Type": "application/problem+json"},
			body: `{"status":401,"title":"Unauthorized"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401},
			text: "the endpoint refused the credentials or the request: HTTP 401",
		},
		"APSIS One throttles": {
			provider: apsis, status: 429, body: `{"status":429,"title":"Too Many Requests"}`,
			want: exchange.Error{Kind: exchange.Throttled, Status: 429},
			text: "the endpoint is throttling: HTTP 429",
		},
		"Adobe's gateway": {
			provider: adobe, status: 403, header: map[string]string{"X-Debug-Id": "d-1"},
			body: `{"error_code":"403003","message":"Api Key is invalid"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 403, Code: "403003", CorrelationID: "d-1"},
			text: "the endpoint refused the credentials or the request: HTTP 403, error 403003",
		},
		"Adobe's gateway throttles, with a number": {
			provider: adobe, status: 429, body: `{"error_code":429050}`,
			want: exchange.Error{Kind: exchange.Throttled, Status: 429, Code: "429050"},
			text: "the endpoint is throttling: HTTP 429, error 429050",
		},
		"Adobe: not the client of this organization": {
			provider: adobe, status: 400, body: `{"error":"invalid_client","error_description":"d"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400, Code: "invalid_client"},
			text: "the endpoint refused the credentials or the request: HTTP 400, error invalid_client",
		},
		"Auth0: wrong id or secret": {
			provider: auth0, status: 401, body: `{"error":"access_denied","error_description":"Unauthorized"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, Code: "access_denied"},
			text: "the endpoint refused the credentials or the request: HTTP 401, error access_denied",
		},
		"Auth0: unknown audience, or no grant": {
			provider: auth0, status: 403, body: `{"error":"access_denied","error_description":"Service not enabled within domain: x"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 403, Code: "access_denied"},
			text: "the endpoint refused the credentials or the request: HTTP 403, error access_denied",
		},
		"Auth0: grant type off": {
			provider: auth0, status: 403, body: `{"error":"unauthorized_client"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 403, Code: "unauthorized_client"},
			text: "the endpoint refused the credentials or the request: HTTP 403, error unauthorized_client",
		},
		"Auth0: quota spent": {
			provider: auth0, status: 429,
			header: map[string]string{
				"Retry-After":              "43200",
				"Auth0-Client-Quota-Limit": "b=per_hour;q=10;r=0;t=3540,b=per_day;q=50;r=0;t=43200",
				"X-RateLimit-Reset":        "1772607967",
			},
			body: `{"error":"too_many_requests","error_description":"Client quota exceeded"}`,
			want: exchange.Error{
				Kind: exchange.Throttled, Status: 429, Code: "too_many_requests", RetryAfter: 12 * time.Hour, HasRetryAfter: true,
			},
			text: "the endpoint is throttling: HTTP 429, error too_many_requests",
		},
		"Auth0: quota spent, Retry-After lost": {
			provider: auth0, status: 429,
			header: map[string]string{
				"Auth0-Client-Quota-Limit":       "b=per_hour;q=10;r=0;t=3540, b=per_day;q=50;r=7;t=43200",
				"Auth0-Organization-Quota-Limit": "b=per_hour;q=10;r=0;t=3600",
			},
			want: exchange.Error{Kind: exchange.Throttled, Status: 429, RetryAfter: time.Hour, HasRetryAfter: true},
			text: "the endpoint is throttling: HTTP 429",
		},
		"Auth0: rate limit": {
			provider: auth0, status: 429, header: map[string]string{"X-RateLimit-Reset": "1772600797"}, // half a minute later
			want: exchange.Error{Kind: exchange.Throttled, Status: 429, RetryAfter: 30 * time.Second, HasRetryAfter: true},
			text: "the endpoint is throttling: HTTP 429",
		},
		"a reset in seconds is no date": {
			provider: auth0, status: 429, header: map[string]string{"X-RateLimit-Reset": "30"},
			want: exchange.Error{Kind: exchange.Throttled, Status: 429},
			text: "the endpoint is throttling: HTTP 429",
		},
		"a throttle that says 400": {
			status: 400, header: map[string]string{"Retry-After": "28800"},
			body: `{"error":"invalid_request","error_description":"exceeded the rate limit of 10 tokens/28800 seconds"}`,
			want: exchange.Error{
				Kind: exchange.Rejected, Status: 400, Code: "invalid_request", RetryAfter: 8 * time.Hour, HasRetryAfter: true,
			},
			text: "the endpoint refused the credentials or the request: HTTP 400, error invalid_request",
		},
		"a day and more to wait": {
			status: 429, header: map[string]string{"Retry-After": "99999999999999999999"},
			want: exchange.Error{Kind: exchange.Throttled, Status: 429, RetryAfter: 24 * time.Hour, HasRetryAfter: true},
			text: "the endpoint is throttling: HTTP 429",
		},
		"maintenance": {
			status: 503, header: map[string]string{"Retry-After": "Wed, 04 Mar 2026 05:16:07 GMT"}, body: "<html>be right back</html>",
			want: exchange.Error{Kind: exchange.Unavailable, Status: 503, RetryAfter: 10 * time.Minute, HasRetryAfter: true, HTML: true},
			text: "the endpoint failed: HTTP 503",
		},
		"a migrated Adobe credential": {
			provider: account, status: 500, body: `{"error":"internal_error","error_description":"Please try again later"}`,
			want: exchange.Error{Kind: exchange.Unavailable, Status: 500, Code: "internal_error"},
			text: "the endpoint failed, as it does for a credential that Adobe has moved to OAuth server-to-server: HTTP 500, error internal_error",
		},
		"Adobe: invalid_client": {
			provider: account, status: 401, body: `{"error":"invalid_client","error_description":"d"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, Code: "invalid_client"},
			text: "the endpoint refused the credentials or the request: HTTP 401, error invalid_client",
		},
		"Adobe: invalid_token": {
			provider: account, status: 400, body: `{"error":"invalid_token","error_description":"d"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400, Code: "invalid_token"},
			text: "the endpoint refused the credentials or the request: HTTP 400, error invalid_token",
		},
		"Adobe: invalid_signature": {
			provider: account, status: 400, body: `{"error":"invalid_signature","error_description":"d"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400, Code: "invalid_signature"},
			text: "the endpoint refused the credentials or the request: HTTP 400, error invalid_signature",
		},
		"Adobe: invalid_scope": {
			provider: account, status: 400, body: `{"error":"invalid_scope","error_description":"d"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400, Code: "invalid_scope"},
			text: "the endpoint refused the credentials or the request: HTTP 400, error invalid_scope",
		},
		"Adobe: invalid_jti": {
			provider: account, status: 400, body: `{"error":"invalid_jti","error_description":"d"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400, Code: "invalid_jti"},
			text: "the endpoint refused the credentials or the request: HTTP 400, error invalid_jti",
		},
		"Adobe: bad_request": {
			provider: account, status: 400, body: `{"error":"bad_request","error_description":"d"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400, Code: "bad_request"},
			text: "the endpoint refused the credentials or the request: HTTP 400, error bad_request",
		},
		"Adobe: another failure": {
			provider: account, status: 500, body: `{"error":"another_error"}`,
			want: exchange.Error{Kind: exchange.Unavailable, Status: 500, UnregisteredCode: true},
			text: "the endpoint failed: HTTP 500, an unregistered error code",
		},
		"Adobe: the same of the other flow": {
			provider: adobe, status: 500, body: `{"error":"internal_error","error_description":"Please try again later"}`,
			want: exchange.Error{Kind: exchange.Unavailable, Status: 500, Code: "internal_error"},
			text: "the endpoint failed: HTTP 500, error internal_error",
		},
		"empty body": {
			status: 403, want: exchange.Error{Kind: exchange.Rejected, Status: 403},
			text: "the endpoint refused the credentials or the request: HTTP 403",
		},
		"HTML": {
			status: 401, header: map[string]string{"Content-Type": "text/html"}, body: "<html>sign in</html>",
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, HTML: true},
			text: "the endpoint refused the credentials or the request: HTTP 401",
		},
		"text/plain and a byte order mark": {
			status: 400, header: map[string]string{"Content-Type": "text/plain"}, body: "\ufeff" + `{"error":"invalid_scope"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400, Code: "invalid_scope"},
			text: "the endpoint refused the credentials or the request: HTTP 400, error invalid_scope",
		},
		"two megabytes": {
			status: 400, body: `{"error":"invalid_scope","pad":"` + strings.Repeat("x", 2<<20) + `"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400},
			text: "the endpoint refused the credentials or the request: HTTP 400",
		},
		"redirect": {
			status: 307, header: map[string]string{"Location": "/elsewhere"},
			want: exchange.Error{Kind: exchange.Unavailable, Status: 307},
			text: "the endpoint redirects, and redirects are not followed: HTTP 307",
		},
		"redirect to nonsense": {
			status: 302, header: map[string]string{"Location": ":// %zz"},
			want: exchange.Error{Kind: exchange.Unavailable, Status: 302},
			text: "the endpoint redirects, and redirects are not followed: HTTP 302",
		},
		"not found": {
			status: 404, body: `{"error":"not_found"}`,
			want: exchange.Error{Kind: exchange.Unavailable, Status: 404, UnregisteredCode: true},
			text: "the endpoint gave an unexpected answer: HTTP 404, an unregistered error code",
		},
		"the code is prose": {
			status: 401, body: `{"error":"Sorry, etl, we do not know you"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"the code is too long": {
			status: 401, body: `{"error":"` + strings.Repeat("a", 65) + `"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"the code has a quotation mark, a backslash, an umlaut": {
			status: 401, body: `{"error":{"code":"a\"\\ä"}}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"the ids echo the secret": {
			status: 401, header: map[string]string{"X-Request-Id": "a-HUNTER2-HUNTER2", "X-Debug-Id": "d-2"},
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, CorrelationID: "d-2"},
			text: "the endpoint refused the credentials or the request: HTTP 401",
		},
		"the code is the secret": {
			status: 401, body: `{"error":"hunter2-hunter2"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"the code is the secret, reversed": {
			status: 401, body: `{"error":"2retnuh-2retnuh"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"the code is the secret, rot13": {
			status: 401, body: `{"error":{"code":"uhagre2-uhagre2"}}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"the code is a piece of the secret": {
			status: 401, body: `{"error_code":"hunter2"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"the code is the client's ID": {
			status: 401, body: `{"error":"etl"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"the gateway's code is of no known kind": {
			status: 401, body: `{"error_code":123456789}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"RFC 9449": {
			status: 400, body: `{"error":"use_dpop_nonce"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400, Code: "use_dpop_nonce"},
			text: "the endpoint refused the credentials or the request: HTTP 400, error use_dpop_nonce",
		},
		"a registered code in capitals": {
			status: 400, body: `{"error":"INVALID_CLIENT"}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 400, an unregistered error code",
		},
		"Experiture's form with more in it": {
			status: 401, body: `{"error":{"code":"CDP_ETL.hunter2"}}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"the code echoes part of the secret": {
			status: 401, body: `{"error":"pw=ter2-hun."}`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"the code echoes the Authorization header": {
			status: 401, body: `{"error":"c.ZXRsOmh1bnRlcjIta"}`, // the start of etl:hunter2-hunter2 in base64
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
			text: "the endpoint refused the credentials or the request: HTTP 401, an unregistered error code",
		},
		"an id of unsafe characters": {
			status: 401, header: map[string]string{"X-Correlation-Id": "<script>", "X-Request-Id": "r-1"},
			want: exchange.Error{Kind: exchange.Rejected, Status: 401, CorrelationID: "r-1"},
			text: "the endpoint refused the credentials or the request: HTTP 401",
		},
		"an error that is a list, in a body that is one": {
			status: 400, body: `[{"error":"invalid_scope"}]`,
			want: exchange.Error{Kind: exchange.Rejected, Status: 400},
			text: "the endpoint refused the credentials or the request: HTTP 400",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range test.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			})
			req := test.provider
			if req.Provider == (v1alpha1.Provider{}) {
				req = experiture
			}
			_, err := endpoint.exchange(t, req.at(endpoint.URL).with(exchange.Values{"clientID": "etl", "clientSecret": "hunter2-hunter2"}))
			got := *asError(t, err)
			text := got.Error()
			got.Detail = ""
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if text != test.text {
				t.Errorf("says %q, want %q", text, test.text)
			}
			if len(endpoint.asked) != 1 {
				t.Errorf("asked %d times", len(endpoint.asked))
			}
		})
	}
}
