// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

func TestVerifyClassifiesAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status  int
		header  map[string]string
		body    string
		verdict exchange.Verdict
		want    *exchange.Error // without Detail
	}{
		"accepted":                {status: 200, body: `{"results":[]}`, verdict: exchange.Accepted},
		"accepted without a body": {status: 204, verdict: exchange.Accepted},
		"Experiture: no token": {
			status: 401, verdict: exchange.Unauthorized,
			body: `{"success":false,"correlationId":"0f8fad5b","error":{"code":"CDP_ETL.AUTH.UNAUTHORIZED","message":"Missing or invalid bearer token."}}`,
			want: &exchange.Error{Kind: exchange.Rejected, Status: 401, Code: "CDP_ETL.AUTH.UNAUTHORIZED", CorrelationID: "0f8fad5b"},
		},
		"Experiture: no scope": {
			status: 403, verdict: exchange.Forbidden, header: map[string]string{"X-Correlation-Id": "0f8fad5b"},
			body: `{"success":false,"error":{"code":"CDP_ETL.AUTH.FORBIDDEN","message":"Token missing required scope: cdp:records:write"}}`,
			want: &exchange.Error{Kind: exchange.Rejected, Status: 403, Code: "CDP_ETL.AUTH.FORBIDDEN", CorrelationID: "0f8fad5b"},
		},
		"Adobe's gateway": {
			status: 401, verdict: exchange.Unauthorized, body: `{"error_code":"401013","message":"Oauth token is not valid"}`,
			want: &exchange.Error{Kind: exchange.Rejected, Status: 401, Code: "401013"},
		},
		"RFC 6750: token": {
			status: 401, verdict: exchange.Unauthorized,
			header: map[string]string{"WWW-Authenticate": `Bearer realm="example", error_description="it has expired", error="invalid_token"`},
			want:   &exchange.Error{Kind: exchange.Rejected, Status: 401, Code: "invalid_token"},
		},
		"RFC 6750: scope": {
			status: 403, verdict: exchange.Forbidden, header: map[string]string{"WWW-Authenticate": `Bearer error=insufficient_scope, scope="a b"`},
			want: &exchange.Error{Kind: exchange.Rejected, Status: 403, Code: "insufficient_scope"},
		},
		"a challenge without an error": {
			status: 401, verdict: exchange.Unauthorized, header: map[string]string{"WWW-Authenticate": `Bearer realm="a", x_error="no"`},
			want: &exchange.Error{Kind: exchange.Rejected, Status: 401},
		},
		"the code echoes the token": {
			status: 401, verdict: exchange.Unauthorized, body: `{"error":"opaque-token-value"}`,
			header: map[string]string{"WWW-Authenticate": `Bearer error="opaque-token"`, "X-Request-Id": "opaque-token-value"},
			want:   &exchange.Error{Kind: exchange.Rejected, Status: 401, UnregisteredCode: true},
		},
		"a code of the vendor's, and one of RFC 6750": {
			status: 401, verdict: exchange.Unauthorized, body: `{"error":"token_is_stale"}`,
			header: map[string]string{"WWW-Authenticate": `Bearer error="invalid_token"`},
			want:   &exchange.Error{Kind: exchange.Rejected, Status: 401, Code: "invalid_token"},
		},
		"throttled": {
			status: 429, header: map[string]string{"Retry-After": "60"},
			want: &exchange.Error{Kind: exchange.Throttled, Status: 429, RetryAfter: time.Minute, HasRetryAfter: true},
		},
		"bad request": {status: 400, want: &exchange.Error{Kind: exchange.Unavailable, Status: 400}},
		"not found":   {status: 404, want: &exchange.Error{Kind: exchange.Unavailable, Status: 404}},
		"failed":      {status: 500, body: "<html>", want: &exchange.Error{Kind: exchange.Unavailable, Status: 500, HTML: true}},
		"redirect":    {status: 302, header: map[string]string{"Location": "/login"}, want: &exchange.Error{Kind: exchange.Unavailable, Status: 302}},
		"two megabytes": {
			status: 401, verdict: exchange.Unauthorized, body: `{"error":"invalid_token","pad":"` + strings.Repeat("x", 2<<20) + `"}`,
			want: &exchange.Error{Kind: exchange.Rejected, Status: 401},
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
			headers := map[string]string{"Authorization": "Bearer opaque-token-value", "x-api-key": "etl"}
			got := exchange.Verify(t.Context(), endpoint.Client().Transport, clock, endpoint.URL+"/v1/things?limit=1", headers)
			if got.Verdict != test.verdict {
				t.Errorf("verdict %v, want %v", got.Verdict, test.verdict)
			}
			if got.Err != nil {
				got.Err.Detail = ""
			}
			if diff := cmp.Diff(test.want, got.Err); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			want := `GET /v1/things?limit=1
Accept: application/json, */*;q=0.5
Authorization: Bearer opaque-token-value
User-Agent: cdp-credential-operator
X-Api-Key: etl

`
			if diff := cmp.Diff([]string{want}, endpoint.asked); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVerifyAtAdobesSchemaRegistry(t *testing.T) {
	t.Parallel()
	endpoint := newStub(t, says(http.StatusOK, `{}`))
	headers := ask{Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg"}}, Values: exchange.Values{"clientID": "etl"}}.
		request().APIHeaders("opaque", "Bearer")
	url := endpoint.URL + "/data/foundation/schemaregistry/global/classes"
	if got := exchange.Verify(t.Context(), endpoint.Client().Transport, clock, url, headers); got.Verdict != exchange.Accepted {
		t.Errorf("verdict %v", got.Verdict)
	}
	want := `GET /data/foundation/schemaregistry/global/classes
Accept: application/vnd.adobe.xed-id+json
Authorization: Bearer opaque
User-Agent: cdp-credential-operator
X-Api-Key: etl
X-Gw-Ims-Org-Id: ABC@AdobeOrg

`
	if diff := cmp.Diff([]string{want}, endpoint.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

func TestVerifyWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	cause := errors.New("of the transport")
	rt := roundTrip(func(*http.Request) (*http.Response, error) { return nil, cause })
	got := exchange.Verify(t.Context(), rt, clock, "https://a.example.com", nil)
	if got.Verdict != exchange.Undecided || got.Err.Kind != exchange.Unavailable || !errors.Is(got.Err, cause) {
		t.Errorf("%v: %v", got.Verdict, got.Err)
	}
	got = exchange.Verify(t.Context(), rt, clock, "http://a.example.com", nil)
	if got.Verdict != exchange.Undecided || got.Err.Kind != exchange.InvalidRequest {
		t.Errorf("%v: %v", got.Verdict, got.Err)
	}
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		got := exchange.Verify(t.Context(), roundTrip(hang), time.Now, "https://a.example.com", nil)
		if took := time.Since(started); got.Verdict != exchange.Undecided || took != 15*time.Second {
			t.Errorf("%v after %v", got.Verdict, took)
		}
	})
}
