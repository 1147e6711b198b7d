// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"cmp"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// jwt is a token with these claims and no valid signature: nobody checks it here.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

// 1772600767 is clock().

func TestExchangeReadsAnswers(t *testing.T) {
	t.Parallel()
	oauth2 := ask{Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{Scopes: []v1alpha1.Scope{"read", "write"}}}}
	with := func(change func(*v1alpha1.OAuth2)) ask {
		req := oauth2.at("")
		change(req.OAuth2)
		return req
	}
	fields := func(response v1alpha1.OAuth2Response) ask {
		return with(func(p *v1alpha1.OAuth2) { p.Response = &response })
	}
	tests := map[string]struct {
		req      ask
		header   map[string]string
		body     string
		lifetime time.Duration
		granted  []string
		typ      string // Bearer unless set
		detail   string // of the *Error, instead of a token
		code     string
	}{
		// 1: the unit is the provider's.
		"adobe: seconds": {
			req:  ask{Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{}}},
			body: `{"access_token":"opaque","token_type":"bearer","expires_in":86399}`, lifetime: 86399 * time.Second,
		},
		"service account: milliseconds": {
			req:  serviceAccount(),
			body: `{"token_type":"bearer","access_token":"opaque","expires_in":86399992}`, lifetime: 86399992 * time.Millisecond,
		},
		"seconds in milliseconds are believed until they are absurd": {
			req: oauth2, body: `{"access_token":"opaque","expires_in":86399992}`, lifetime: 86399992 * time.Second,
		},
		"absurd":               {req: oauth2, body: `{"access_token":"opaque","expires_in":315360001}`, detail: "the token's lifetime is absurd: over ten years"},
		"as long as may be":    {req: oauth2, body: `{"access_token":"opaque","expires_in":315360000}`, lifetime: 87600 * time.Hour},
		"accessy's string, ms": {req: fields(v1alpha1.OAuth2Response{ExpiresInUnit: "Milliseconds"}), body: `{"access_token":"opaque","expires_in":"604800000"}`, lifetime: 168 * time.Hour},
		"minutes":              {req: fields(v1alpha1.OAuth2Response{ExpiresInUnit: "Minutes"}), body: `{"access_token":"opaque","expires_in":15}`, lifetime: 15 * time.Minute},

		// 2: expires_in in all its forms.
		"string":                       {req: oauth2, body: `{"access_token":"opaque","expires_in":"3600"}`, lifetime: time.Hour},
		"string with spaces":           {req: oauth2, body: `{"access_token":"opaque","expires_in":" 3600 "}`, lifetime: time.Hour},
		"float":                        {req: oauth2, body: `{"access_token":"opaque","expires_in":3600.0}`, lifetime: time.Hour},
		"fraction":                     {req: oauth2, body: `{"access_token":"opaque","expires_in":0.5}`, lifetime: 500 * time.Millisecond},
		"exponent":                     {req: oauth2, body: `{"access_token":"opaque","expires_in":3.6e3}`, lifetime: time.Hour},
		"empty":                        {req: oauth2, body: `{"access_token":"opaque","expires_in":""}`, detail: "the token has no expiry"},
		"null":                         {req: oauth2, body: `{"access_token":"opaque","expires_in":null}`, detail: "the token has no expiry"},
		"zero":                         {req: oauth2, body: `{"access_token":"opaque","expires_in":0}`, detail: "the token has no expiry"},
		"negative":                     {req: oauth2, body: `{"access_token":"opaque","expires_in":-1}`, detail: "the token has no expiry"},
		"missing":                      {req: oauth2, body: `{"access_token":"opaque"}`, detail: "the token has no expiry"},
		"above int32":                  {req: oauth2, body: `{"access_token":"opaque","expires_in":2147483648}`, detail: "the token's lifetime is absurd: over ten years"},
		"above float64":                {req: oauth2, body: `{"access_token":"opaque","expires_in":1e999}`, detail: "the token's lifetime is absurd: over ten years"},
		"infinity":                     {req: oauth2, body: `{"access_token":"opaque","expires_in":"inf"}`, detail: "the token has no expiry"},
		"prose":                        {req: oauth2, body: `{"access_token":"opaque","expires_in":"an hour"}`, detail: "the token has no expiry"},
		"object":                       {req: oauth2, body: `{"access_token":"opaque","expires_in":{"seconds":3600}}`, detail: "the token has no expiry"},
		"twice: the last counts":       {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"expires_in":3600}`, lifetime: time.Hour},
		"another case is another name": {req: oauth2, body: `{"access_token":"opaque","Expires_In":3600}`, detail: "the token has no expiry"},
		"zero, but there is a default": {
			req: with(func(p *v1alpha1.OAuth2) { p.DefaultLifetime = &metav1.Duration{Duration: 2 * time.Hour} }), body: `{"access_token":"opaque","expires_in":0}`, lifetime: 2 * time.Hour,
		},
		"missing, but there is a default": {
			req: with(func(p *v1alpha1.OAuth2) { p.DefaultLifetime = &metav1.Duration{Duration: 2 * time.Hour} }), body: `{"access_token":"opaque"}`, lifetime: 2 * time.Hour,
		},
		"a default does not override what is said": {
			req: with(func(p *v1alpha1.OAuth2) { p.DefaultLifetime = &metav1.Duration{Duration: 2 * time.Hour} }), body: `{"access_token":"opaque","expires_in":60}`, lifetime: time.Minute,
		},

		// 3: what the token says of itself.
		"exp": {req: oauth2, body: `{"access_token":"` + jwt(`{"iat":1772600767,"exp":1772604367}`) + `"}`, lifetime: time.Hour},
		"an IMS token": {
			req:  ask{Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{}}},
			body: `{"access_token":"` + jwt(`{"created_at":"1772600767000","expires_in":"86400000"}`) + `"}`, lifetime: 24 * time.Hour,
		},
		"iat and expires_in of no known unit": {req: oauth2, body: `{"access_token":"` + jwt(`{"iat":1772600767,"expires_in":3600}`) + `"}`, detail: "the token has no expiry"},
		"malformed":                           {req: oauth2, body: `{"access_token":"eyJhbGciOiJSUzI1NiJ9.e30","expires_in":3600}`, lifetime: time.Hour},
		"exp before expires_in":               {req: oauth2, body: `{"access_token":"` + jwt(`{"iat":1772600767,"exp":1772600827}`) + `","expires_in":3600}`, lifetime: time.Minute},
		"expires_in before exp":               {req: oauth2, body: `{"access_token":"` + jwt(`{"iat":1772600767,"exp":1772604367}`) + `","expires_in":60}`, lifetime: time.Minute},
		"APSIS One: exp alone counts":         {req: ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}}, body: `{"access_token":"` + jwt(`{"iat":1772600767,"exp":1772604367}`) + `","expires_in":60}`, lifetime: time.Hour},
		"APSIS One: expires_in without exp":   {req: ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}}, body: `{"access_token":"opaque","expires_in":86400,"token_type":"Bearer"}`, lifetime: 24 * time.Hour},
		"expired":                             {req: oauth2, body: `{"access_token":"` + jwt(`{"iat":1772597167,"exp":1772600766}`) + `","expires_in":3600}`, detail: "the token has already expired"},

		// 4: the endpoint's clock is an hour ahead.
		"skew, by iat":  {req: oauth2, body: `{"access_token":"` + jwt(`{"iat":1772604367,"exp":1772604427}`) + `"}`, lifetime: time.Minute},
		"skew, by Date": {req: oauth2, header: map[string]string{"Date": "Wed, 04 Mar 2026 06:06:07 GMT"}, body: `{"access_token":"` + jwt(`{"exp":1772604427}`) + `"}`, lifetime: time.Minute},

		// 5: scopes.
		"as asked for":        {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"scope":"read write"}`, lifetime: time.Minute, granted: []string{"read", "write"}},
		"reduced":             {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"scope":"read"}`, lifetime: time.Minute, granted: []string{"read"}},
		"no scope":            {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"scope":""}`, lifetime: time.Minute},
		"a list":              {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"scope":["read",7,"write"]}`, lifetime: time.Minute, granted: []string{"read", "write"}},
		"a scope with commas": {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"scope":"read,write"}`, lifetime: time.Minute, granted: []string{"read,write"}},
		"a separator of the user's": {
			req:  with(func(p *v1alpha1.OAuth2) { p.ScopeSeparator = "," }),
			body: `{"access_token":"opaque","expires_in":60,"scope":"read,write admin"}`, lifetime: time.Minute, granted: []string{"read", "write", "admin"},
		},
		"Adobe's": {
			req:  ask{Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{Scopes: []v1alpha1.Scope{"openid", "AdobeID"}}}},
			body: `{"access_token":"opaque","expires_in":60,"scope":"openid,AdobeID"}`, lifetime: time.Minute, granted: []string{"openid", "AdobeID"},
		},
		"a scope that was asked for and is in the secret": {
			req:  ask{Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{Scopes: []v1alpha1.Scope{"hunter2-"}}}},
			body: `{"access_token":"opaque","expires_in":60,"scope":"hunter2-"}`, lifetime: time.Minute, granted: []string{"hunter2-"},
		},
		"scopes that echo the secret or the token, or are no scopes": {
			req:  oauth2,
			body: `{"access_token":"opaque-token-value","expires_in":60,"scope":"read hunter2-hunter2 x-token-value \"quoted\" naïve"}`, lifetime: time.Minute, granted: []string{"read"},
		},

		"many scopes": {
			req: oauth2, body: `{"access_token":"opaque","expires_in":60,"scope":"read` + strings.Repeat(" abcdefgx", 3000) + strings.Repeat(" bcdefgha", 3000) + `"}`,
			lifetime: time.Minute, granted: []string{"read", "abcdefgx", "bcdefgha"},
		},
		"more scopes than are read": {
			req: oauth2, body: `{"access_token":"opaque","expires_in":60,"scope":"read` + strings.Repeat(" abcdefgx", 100_000) + `"}`, lifetime: time.Minute,
		},
		"a list of more scopes than are read": {
			req: oauth2, body: `{"access_token":"opaque","expires_in":60,"scope":["read"` + strings.Repeat(`,"write"`, 100_000) + `]}`,
			lifetime: time.Minute, granted: []string{"read", "write"},
		},

		// 6: errors with 200, and what is no JSON or does not say so.
		"error with 200":             {req: oauth2, body: `{"error":"invalid_client"}`, detail: "the answer is an error", code: "invalid_client"},
		"error beside a token":       {req: oauth2, body: `{"error":"invalid_client","access_token":"opaque","expires_in":60}`, detail: "the answer is an error", code: "invalid_client"},
		"no error beside a token":    {req: oauth2, body: `{"error":null,"access_token":"opaque","expires_in":60}`, lifetime: time.Minute},
		"an empty error":             {req: oauth2, body: `{"error":"","access_token":"opaque","expires_in":60}`, lifetime: time.Minute},
		"an error that is false":     {req: oauth2, body: `{"error":false,"access_token":"opaque","expires_in":60}`, lifetime: time.Minute},
		"200 without a token":        {req: oauth2, body: `{"expires_in":60}`, detail: "the answer has no token"},
		"token is a number":          {req: oauth2, body: `{"access_token":7,"expires_in":60}`, detail: "the answer has no token"},
		"token is empty":             {req: oauth2, body: `{"access_token":"","expires_in":60}`, detail: "the answer has no token"},
		"text/plain":                 {req: oauth2, header: map[string]string{"Content-Type": "text/plain"}, body: `{"access_token":"opaque","expires_in":60}`, lifetime: time.Minute},
		"text/html":                  {req: oauth2, header: map[string]string{"Content-Type": "text/html; charset=utf-8"}, body: `{"access_token":"opaque","expires_in":60}`, lifetime: time.Minute},
		"byte order mark":            {req: oauth2, body: "\ufeff" + `{"access_token":"opaque","expires_in":60}`, lifetime: time.Minute},
		"a form":                     {req: oauth2, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, body: `access_token=opaque&expires_in=60`, detail: "the answer is not a JSON object"},
		"HTML":                       {req: oauth2, header: map[string]string{"Content-Type": "text/html"}, body: `<html>sign in</html>`, detail: "the answer is not a JSON object"},
		"nothing":                    {req: oauth2, body: ``, detail: "the answer is not a JSON object"},
		"null body":                  {req: oauth2, body: `null`, detail: "the answer is not a JSON object"},
		"a list of one":              {req: oauth2, body: `[{"access_token":"opaque","expires_in":60}]`, detail: "the answer is not a JSON object"},
		"a second object":            {req: oauth2, body: `{"access_token":"opaque","expires_in":60}{}`, detail: "the answer is not a JSON object"},
		"cut off":                    {req: oauth2, body: `{"access_token":"opaque","expires_in":60`, detail: "the answer is not a JSON object"},
		"two megabytes":              {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"pad":"` + strings.Repeat("x", 2<<20) + `"}`, detail: "the answer is larger than 1 MiB"},
		"two megabytes of spaces":    {req: oauth2, body: `{"access_token":"opaque","expires_in":60}` + strings.Repeat(" ", 2<<20), detail: "the answer is larger than 1 MiB"},
		"nested deeper than a stack": {req: oauth2, body: strings.Repeat(`{"a":`, 100_000), detail: "the answer is nested more than 16 levels deep"},
		"16 levels":                  {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"a":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + `}`, lifetime: time.Minute},
		"17 levels":                  {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"a":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`, detail: "the answer is nested more than 16 levels deep"},
		"256 members":                {req: oauth2, body: `{"access_token":"opaque","expires_in":60` + strings.Repeat(`,"a":{"b":0}`, 127) + `}`, lifetime: time.Minute},
		"258 members":                {req: oauth2, body: `{"access_token":"opaque","expires_in":60` + strings.Repeat(`,"a":{"b":0}`, 128) + `}`, detail: "the answer has more than 256 members"},
		"the last object counts": {
			req:  fields(v1alpha1.OAuth2Response{TokenField: "data.token"}),
			body: `{"data":{"token":"first"},"data":{"other":1},"expires_in":60}`, detail: "the answer has no token",
		},
		"an escaped name": {req: oauth2, body: `{"\u0061ccess_token":"opaque","expires_in":60}`, lifetime: time.Minute},
		"a name that looks like a path": {
			req:  fields(v1alpha1.OAuth2Response{TokenField: "data.token"}),
			body: `{"data.token":"opaque","expires_in":60}`, detail: "the answer has no token",
		},
		"Experiture's envelope":       {req: ask{Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{}}}, body: `{"success":true,"data":{"access_token":"opaque","expires_in":60,"scope":"cdp:records:read"},"correlationId":"c"}`, lifetime: time.Minute, granted: []string{"cdp:records:read"}},
		"Experiture without envelope": {req: ask{Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{}}}, body: `{"access_token":"opaque","expires_in":60,"data":{}}`, lifetime: time.Minute},
		"Experiture fails with 200":   {req: ask{Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{}}}, body: `{"success":false,"error":{"code":"CDP_ETL.AUTH.UNAUTHORIZED"}}`, detail: "the answer is an error", code: "CDP_ETL.AUTH.UNAUTHORIZED"},
		"Experiture fails in silence": {req: ask{Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{}}}, body: `{"success":false,"data":{"access_token":"opaque","expires_in":60}}`, detail: "the answer is an error"},
		"an envelope of nobody's":     {req: oauth2, body: `{"data":{"access_token":"opaque","expires_in":60}}`, detail: "the answer has no token"},
		"fields of the user's": {
			req:  fields(v1alpha1.OAuth2Response{TokenField: "data.auth.accessToken", ExpiresInField: "data.ttl"}),
			body: `{"data":{"auth":{"accessToken":"opaque"},"ttl":60}}`, lifetime: time.Minute,
		},
		"fields of the user's that are not there": {
			req:  fields(v1alpha1.OAuth2Response{TokenField: "data.auth.accessToken"}),
			body: `{"data":"opaque"}`, detail: "the answer has no token",
		},

		// 9: tokens that no header can carry.
		"CR LF":               {req: oauth2, body: `{"access_token":"opaque\r\nX-Admin: 1","expires_in":60}`, detail: "the token has characters that are unsafe in an HTTP header"},
		"a trailing LF":       {req: oauth2, body: `{"access_token":"opaque\n","expires_in":60}`, detail: "the token has characters that are unsafe in an HTTP header"},
		"a space":             {req: oauth2, body: `{"access_token":"opa que","expires_in":60}`, detail: "the token has characters that are unsafe in an HTTP header"},
		"a DEL":               {req: oauth2, body: `{"access_token":"opaque` + "\x7f" + `","expires_in":60}`, detail: "the token has characters that are unsafe in an HTTP header"},
		"an umlaut":           {req: oauth2, body: `{"access_token":"opäque","expires_in":60}`, detail: "the token has characters that are unsafe in an HTTP header"},
		"no UTF-8":            {req: oauth2, body: `{"access_token":"opaque` + "\xff" + `","expires_in":60}`, detail: "the token has characters that are unsafe in an HTTP header"},
		"16 KiB":              {req: oauth2, body: `{"access_token":"` + strings.Repeat("x", 16384) + `","expires_in":60}`, lifetime: time.Minute},
		"longer than 16 KiB":  {req: oauth2, body: `{"access_token":"` + strings.Repeat("x", 16385) + `","expires_in":60}`, detail: "the token is longer than 16 KiB"},
		"longer than is read": {req: oauth2, body: `{"access_token":"` + strings.Repeat("x", 1<<19) + `","expires_in":60}`, detail: "the token is longer than 16 KiB"},
		"all that is allowed": {
			req: oauth2, body: `{"access_token":"!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_` + "`" + `az{|}~","expires_in":60}`, lifetime: time.Minute,
		},

		// token_type.
		"bearer":         {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"token_type":"bearer"}`, lifetime: time.Minute},
		"BearerToken":    {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"token_type":"BearerToken"}`, lifetime: time.Minute},
		"N_A":            {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"token_type":"N_A"}`, lifetime: time.Minute},
		"DPoP":           {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"token_type":"DPoP"}`, lifetime: time.Minute, typ: "DPoP"},
		"no type at all": {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"token_type":{}}`, lifetime: time.Minute},
		"unsafe type":    {req: oauth2, body: `{"access_token":"opaque","expires_in":60,"token_type":"mac\r\nX-Admin: 1"}`, lifetime: time.Minute},

		// Algonomy says nothing but the token.
		"Algonomy: as asked for":   {req: algonomy(300 * time.Minute), body: `{"token":"CkFV8QOtY37jal2JccgNN1V5x3FvY2jamq6Dk5w19x3SkHEU9Lz2ociq4GBR3"}`, lifetime: 5 * time.Hour},
		"Algonomy: by default":     {req: algonomy(0), body: `{"token":"CkFV8Q"}`, lifetime: 15 * time.Minute},
		"Algonomy: whole minutes":  {req: algonomy(90 * time.Second), body: `{"token":"CkFV8Q"}`, lifetime: time.Minute},
		"Algonomy: not our field":  {req: algonomy(0), body: `{"access_token":"CkFV8Q"}`, detail: "the answer has no token"},
		"Algonomy: no known unit":  {req: algonomy(0), body: `{"token":"CkFV8Q","expires_in":1}`, lifetime: 15 * time.Minute},
		"Algonomy: 200 of refusal": {req: algonomy(0), body: `{"status":"ERROR","message":"no","data":null}`, detail: "the answer has no token"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := newStub(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				for name, value := range test.header {
					w.Header().Set(name, value)
				}
				_, _ = io.WriteString(w, test.body)
			})
			req := test.req.at(endpoint.URL).with(exchange.Values{"clientID": "etl", "clientSecret": "hunter2-hunter2"})
			got, err := endpoint.exchange(t, req)
			if len(endpoint.asked) != 1 {
				t.Fatalf("asked %d times", len(endpoint.asked))
			}
			if test.detail != "" {
				failed := asError(t, err)
				if failed.Detail != test.detail || failed.Code != test.code || failed.Kind != exchange.Malformed || failed.Status != 200 {
					t.Errorf("%v, code %q, kind %v, HTTP %d", failed.Detail, failed.Code, failed.Kind, failed.Status)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if lifetime := got.Life.ExpiresAt.Sub(clock()); lifetime != test.lifetime {
				t.Errorf("lives %v, want %v", lifetime, test.lifetime)
			}
			if !got.Life.IssuedAt.Equal(clock()) {
				t.Errorf("issued at %v", got.Life.IssuedAt)
			}
			if diff := gocmp.Diff(test.granted, got.Granted); diff != "" {
				t.Errorf("granted (-want +got):\n%s", diff)
			}
			if want := cmp.Or(test.typ, "Bearer"); got.Type != want {
				t.Errorf("type %q, want %q", got.Type, want)
			}
		})
	}
}

func algonomy(validity time.Duration) ask {
	return ask{
		Provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "Profile", Resources: []v1alpha1.Scope{"basic"}, Validity: &metav1.Duration{Duration: validity}}},
		Values:   exchange.Values{"tenantHash": "abcd1234efgh5678"},
	}
}

func TestAlgonomyUpdateClassifiesAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		body   string
		want   exchange.Kind
		ok     bool
	}{
		"updated":            {status: 200, body: `{"message":"Token updated successfully","token":"held"}`, ok: true},
		"updated, in short":  {status: 200, body: `{"resource":["basic"],"token":"held"}`, ok: true},
		"another token":      {status: 200, body: `{"token":"another"}`, want: exchange.Rejected},
		"no token":           {status: 200, body: `{"message":"Token updated successfully"}`, want: exchange.Malformed},
		"refused":            {status: 403, body: `{}`, want: exchange.Rejected},
		"no such token":      {status: 404, body: `{}`, want: exchange.Rejected},
		"no such token, 410": {status: 410, body: `{}`, want: exchange.Rejected},
		"throttled":          {status: 429, body: `{}`, want: exchange.Throttled},
		"failed":             {status: 500, body: `{}`, want: exchange.Unavailable},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := newStub(t, says(test.status, test.body))
			got, err := endpoint.exchange(t, algonomy(time.Hour).at(endpoint.URL).updating("held"))
			if test.ok {
				if diff := gocmp.Diff(exchange.Token{Value: "held", Type: "Bearer"}, got); diff != "" || err != nil {
					t.Errorf("%v %s", err, diff)
				}
				return
			}
			if failed := asError(t, err); failed.Kind != test.want {
				t.Errorf("kind %v, want %v", failed.Kind, test.want)
			}
		})
	}
}
