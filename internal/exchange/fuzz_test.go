// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// FuzzAnswer reads whatever an endpoint may say. A token that comes of it is safe in a header and lives for a while; anything else is an
// *Error within the limits of what is shown.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		good,
		`{"token":"CkFV8Q"}`,
		`{"success":true,"data":{"access_token":"opaque","expires_in":"60"},"correlationId":"c"}`,
		`{"success":false,"correlationId":"c","error":{"code":"CDP_ETL.AUTH.FORBIDDEN"}}`,
		`{"error":"invalid_client","error_description":"d"}`,
		`{"error_code":429050}`,
		"\ufeff" + `{"access_token":"` + jwt(`{"iat":1772600767,"exp":1.7726e9}`) + `","scope":"a b","expires_in":3.6e3}`,
		`{"access_token":"` + jwt(`{"created_at":"1772600767000","expires_in":"86400000"}`) + `"}`,
		`{"access_token":"a\r\nb","expires_in":-1e999}`,
		`[]`, ``, `null`, `<html>`,
	} {
		for _, provider := range []string{"oauth2", "experiture", "apsis", "algonomy", "adobe"} {
			f.Add(provider, 200, body, "Wed, 04 Mar 2026 05:06:07 GMT", "5")
		}
		f.Add("auth0", 429, body, "", "Wed, 04 Mar 2026 05:16:07 GMT")
	}
	f.Fuzz(func(t *testing.T, provider string, status int, body, date, wait string) {
		if status < 100 || status > 999 {
			return
		}
		rt := roundTrip(func(*http.Request) (*http.Response, error) {
			header := http.Header{"Date": {date}, "Retry-After": {wait}, "X-Ratelimit-Reset": {wait}, "Auth0-Client-Quota-Limit": {wait}, "X-Request-Id": {date}}
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}, nil
		})
		token, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), rt, fuzzed(provider))
		if failed, ok := errors.AsType[*exchange.Error](err); ok {
			if !shown(failed.Code, 64) || !shown(failed.CorrelationID, 64) || failed.RetryAfter < 0 || failed.RetryAfter > 24*time.Hour {
				t.Errorf("%+v", failed)
			}
			return
		}
		if err != nil {
			t.Fatalf("another error: %v", err)
		}
		if token.Value == "" || !shown(string(token.Value), 64<<10) {
			t.Errorf("unsafe token %q", string(token.Value))
		}
		if token.Type == "" || !shown(token.Type, 64) {
			t.Errorf("unsafe type %q", token.Type)
		}
		for _, scope := range token.Granted {
			if !shown(scope, 128) || scope == "" {
				t.Errorf("unsafe scope %q", scope)
			}
		}
		if lifetime := token.Life.Lifetime(); provider != "basic" && (lifetime <= 0 || lifetime > 10*365*24*time.Hour) {
			t.Errorf("lives %v", lifetime)
		}
	})
}

// fuzzed is a request to a provider of that name, or of none.
func fuzzed(provider string) exchange.Request {
	req := map[string]ask{
		"experiture": {Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{}}},
		"apsis":      {Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}},
		"auth0":      {Provider: v1alpha1.Provider{Auth0: &v1alpha1.Auth0{}}},
		"adobe":      {Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{}}},
		"algonomy":   {Provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "GDPR"}}},
		"oauth2":     {Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{}}},
		"basic":      {Provider: v1alpha1.Provider{Basic: &v1alpha1.Basic{}}},
	}[provider]
	if req.Provider == (v1alpha1.Provider{}) {
		return exchange.Request{}
	}
	return req.at("https://a.example.com").with(exchange.Values{
		"clientID": "etl", "clientSecret": "hunter2-hunter2", "tenantHash": "hunter2-hunter2", "tokenID": "a", "tokenSecret": "b",
	}).request()
}

// FuzzHeaders sends whatever headers and parameters pass the check, and looks at what a server reads that takes neither case nor - and _ apart.
func FuzzHeaders(f *testing.F) {
	for _, name := range []string{
		"X-Tenant", "authorization", "Transfer_Encoding", "x_forwarded-FOR", "X-Original-Url", "Cookie", "HOST", "grant_type", "Client_ID", "tenant", "ſcope",
		"X-T\r\nHost", "x-http_method-override", "\u212aeep-alive", "",
	} {
		f.Add(name, "value", name)
	}
	f.Fuzz(func(t *testing.T, header, value, parameter string) {
		req := ask{
			Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com/token", AuthMethod: "ClientSecretPost", Scopes: []v1alpha1.Scope{"read"}, Headers: map[string]v1alpha1.HeaderValue{header: v1alpha1.HeaderValue(value)}, Parameters: map[string]v1alpha1.ParameterValue{parameter: v1alpha1.ParameterValue(value)}}},
			Values:   exchange.Values{"clientID": "etl", "clientSecret": "hunter2"},
		}
		sent := false
		rt := roundTrip(func(r *http.Request) (*http.Response, error) {
			sent = true
			var wire bytes.Buffer
			if err := r.Write(&wire); err != nil {
				t.Errorf("cannot be written: %v", err)
			}
			got, err := http.ReadRequest(bufio.NewReader(&wire))
			if err != nil {
				t.Fatalf("cannot be read: %v", err)
			}
			plain := map[string][]string{}
			for name, values := range got.Header {
				name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
				plain[name] = append(plain[name], values...)
			}
			for name := range plain {
				switch name {
				case "content-type", "content-length", "accept", "user-agent", strings.ReplaceAll(strings.ToLower(header), "_", "-"):
				default:
					t.Errorf("sends the header %q", name)
				}
			}
			if got.Host != "a.example.com" || got.Method != http.MethodPost || got.URL.Path != "/token" || len(plain["content-type"]) != 1 {
				t.Errorf("%s %s at %s, %v", got.Method, got.URL, got.Host, plain)
			}
			for _, name := range []string{"authorization", "cookie", "transfer-encoding", "x-forwarded-for", "x-original-url", "x-remote-user", "proxy-authorization"} {
				if plain[name] != nil {
					t.Errorf("sends %s", name)
				}
			}
			body, err := io.ReadAll(got.Body)
			if err != nil {
				t.Fatal(err)
			}
			form, err := url.ParseQuery(string(body))
			if err != nil {
				t.Fatal(err)
			}
			own := map[string]int{}
			for name, values := range form {
				own[strings.ToLower(name)] += len(values)
			}
			for _, name := range []string{"grant_type", "client_id", "client_secret", "scope"} {
				if own[name] != 1 {
					t.Errorf("%s is sent %d times", name, own[name])
				}
			}
			return nil, http.ErrServerClosed
		})
		_, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), rt, req.request())
		if failed, ok := errors.AsType[*exchange.Error](err); !ok || !sent && failed.Kind != exchange.InvalidRequest {
			t.Errorf("%v", err)
		}
	})
}

// shown reports whether text is visible ASCII within limit.
func shown(text string, limit int) bool {
	return len(text) <= limit && !strings.ContainsFunc(text, func(c rune) bool { return c < 0x21 || c > 0x7e })
}

// FuzzRetryAfter reads whatever may stand in the headers that say when to come back.
func FuzzRetryAfter(f *testing.F) {
	f.Add("2", "", "", "Wed, 04 Mar 2026 05:06:07 GMT")
	f.Add("Wed, 04 Mar 2026 05:16:07 GMT", "", "", "")
	f.Add("", "b=per_hour;q=10;r=0;t=3540,b=per_day;q=50;r=0;t=43200", "", "")
	f.Add("-1", "b=per_hour;q=10;r=0;t=-3540", "1772604367", "garbage")
	f.Add("99999999999999999999", ";;=,r=0;t=99999999999999999999", "99999999999999999999", "Mon, 01 Jan 0001 00:00:00 GMT")
	f.Fuzz(func(t *testing.T, wait, quota, reset, date string) {
		rt := roundTrip(func(*http.Request) (*http.Response, error) {
			header := http.Header{
				"Date": {date}, "Retry-After": {wait}, "X-Ratelimit-Reset": {reset},
				"Auth0-Client-Quota-Limit": {quota}, "Auth0-Organization-Quota-Limit": {quota},
			}
			return &http.Response{StatusCode: http.StatusTooManyRequests, Header: header, Body: http.NoBody}, nil
		})
		_, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), rt, ask{
			Provider: v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: "a.example.com"}},
		}.request())
		failed, ok := errors.AsType[*exchange.Error](err)
		if !ok || failed.Kind != exchange.Throttled || failed.RetryAfter < 0 || failed.RetryAfter > 24*time.Hour {
			t.Errorf("%+v", failed)
		}
		if ok && !failed.HasRetryAfter && failed.RetryAfter != 0 {
			t.Errorf("a wait that nobody asked for: %v", failed.RetryAfter)
		}
	})
}

func TestRetryAfterMovesTheNextAttemptOut(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		header map[string]string
		want   time.Duration
		none   bool
	}{
		"seconds": {header: map[string]string{"Retry-After": "120"}, want: 2 * time.Minute},
		"zero":    {header: map[string]string{"Retry-After": "0"}, want: 0},
		"a date":  {header: map[string]string{"Retry-After": "Wed, 04 Mar 2026 05:08:07 GMT"}, want: 2 * time.Minute},
		"by the answer's own clock": {
			header: map[string]string{"Retry-After": "Wed, 04 Mar 2026 09:08:07 GMT", "Date": "Wed, 04 Mar 2026 09:06:07 GMT"}, want: 2 * time.Minute,
		},
		"RFC 850":                  {header: map[string]string{"Retry-After": "Wednesday, 04-Mar-26 05:08:07 GMT"}, want: 2 * time.Minute},
		"a date next year":         {header: map[string]string{"Retry-After": "Thu, 04 Mar 2027 05:08:07 GMT"}, want: 24 * time.Hour},
		"a date in the past":       {header: map[string]string{"Retry-After": "Wed, 04 Mar 2026 05:06:06 GMT"}, none: true},
		"a day and a second":       {header: map[string]string{"Retry-After": "86401"}, want: 24 * time.Hour},
		"negative":                 {header: map[string]string{"Retry-After": "-1"}, none: true},
		"a fraction":               {header: map[string]string{"Retry-After": "1.5"}, none: true},
		"prose":                    {header: map[string]string{"Retry-After": "soon"}, none: true},
		"none":                     {none: true},
		"a quota with a rest":      {header: map[string]string{"Auth0-Client-Quota-Limit": "b=per_hour;q=10;r=1;t=3540"}, none: true},
		"a spent quota of no time": {header: map[string]string{"Auth0-Client-Quota-Limit": "b=per_hour;q=10;r=0"}, none: true},
		"a reset in the past":      {header: map[string]string{"X-RateLimit-Reset": "1772600766"}, none: true},
		"a reset now":              {header: map[string]string{"X-RateLimit-Reset": "1772600767"}, want: 0},
		"a reset far away":         {header: map[string]string{"X-RateLimit-Reset": "9223372036854775807"}, want: 24 * time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rt := roundTrip(func(*http.Request) (*http.Response, error) {
				header := http.Header{}
				for name, value := range test.header {
					header.Set(name, value)
				}
				return &http.Response{StatusCode: http.StatusTooManyRequests, Header: header, Body: http.NoBody}, nil
			})
			_, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), rt, ask{
				Provider: v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: "a.example.com"}},
			}.request())
			failed := asError(t, err)
			if failed.RetryAfter != test.want || failed.HasRetryAfter == test.none {
				t.Errorf("%v, %v", failed.RetryAfter, failed.HasRetryAfter)
			}
		})
	}
}
