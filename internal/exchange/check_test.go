// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

func TestCheckRefusesBadRequests(t *testing.T) {
	t.Parallel()
	header := func(name, value string) ask {
		return ask{Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com", Headers: map[string]v1alpha1.HeaderValue{name: v1alpha1.HeaderValue(value)}}}}
	}
	parameter := func(name string) ask {
		return ask{Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com", Parameters: map[string]v1alpha1.ParameterValue{name: "x"}}}}
	}
	at := func(url string) ask {
		return ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL(url))}}}
	}
	const (
		request = exchange.InvalidRequest
		key     = exchange.InvalidKey
	)
	tests := map[string]struct {
		req   ask
		kind  exchange.Kind
		field string // empty: nothing is wrong
	}{
		"good":                   {req: header("X-Tenant", "seven")},
		"a header with a tab":    {req: header("X-Tenant", "se\tven")},
		"Accept":                 {req: header("Accept", "application/vnd.example+json")},
		"User-Agent":             {req: header("User-Agent", "etl")},
		"Authorization":          {header("authorization", "Bearer x"), request, "headers.authorization"},
		"Content-Type":           {header("Content-Type", "text/plain"), request, "headers.Content-Type"},
		"Host":                   {header("host", "b.example.com"), request, "headers.host"},
		"Content-Length":         {header("Content-Length", "1"), request, "headers.Content-Length"},
		"Transfer-Encoding":      {header("transfer-encoding", "chunked"), request, "headers.transfer-encoding"},
		"Connection":             {header("Connection", "close"), request, "headers.Connection"},
		"TE":                     {header("TE", "trailers"), request, "headers.TE"},
		"Proxy-Authorization":    {header("Proxy-Authorization", "x"), request, "headers.Proxy-Authorization"},
		"Accept-Encoding":        {header("Accept-Encoding", "br"), request, "headers.Accept-Encoding"},
		"Cookie":                 {header("Cookie", "session=x"), request, "headers.Cookie"},
		"Forwarded":              {header("Forwarded", "for=10.0.0.1"), request, "headers.Forwarded"},
		"Via":                    {header("via", "x"), request, "headers.via"},
		"X-Forwarded-For":        {header("X-Forwarded-For", "10.0.0.1"), request, "headers.X-Forwarded-For"},
		"X-Real-IP":              {header("X-Real-IP", "10.0.0.1"), request, "headers.X-Real-IP"},
		"X-Original-URL":         {header("X-Original-URL", "/admin"), request, "headers.X-Original-URL"},
		"X-Rewrite-URL":          {header("X-Rewrite-URL", "/admin"), request, "headers.X-Rewrite-URL"},
		"X-HTTP-Method-Override": {header("X-HTTP-Method-Override", "DELETE"), request, "headers.X-HTTP-Method-Override"},
		"X-Remote-User":          {header("X-Remote-User", "admin"), request, "headers.X-Remote-User"},
		"Content-Location":       {header("content-location", "/"), request, "headers.content-location"},
		"Transfer_Encoding":      {header("Transfer_Encoding", "chunked"), request, "headers.Transfer_Encoding"},
		"x_forwarded-for":        {header("x_forwarded-for", "10.0.0.1"), request, "headers.x_forwarded-for"},
		"Proxy_Anything":         {header("Proxy_Anything", "x"), request, "headers.Proxy_Anything"},
		"X-Forward":              {req: header("X-Forward", "x")},
		"X-Contents":             {req: header("X-Contents", "x")},
		"Grant_Type":             {parameter("Grant_Type"), request, "parameters.Grant_Type"},
		"CLIENT_ID":              {parameter("CLIENT_ID"), request, "parameters.CLIENT_ID"},
		"Client_Assertion_Type":  {parameter("Client_Assertion_Type"), request, "parameters.Client_Assertion_Type"},
		"CR LF in a value":       {header("X-Tenant", "7\r\nX-Admin: 1"), request, "headers.X-Tenant"},
		"NUL in a value":         {header("X-Tenant", "7\x00"), request, "headers.X-Tenant"},
		"CR LF in a name":        {header("X-Tenant\r\nX-Admin", "1"), request, "headers"},
		"a name with a space":    {header("X Tenant", "1"), request, "headers"},
		"a name with an umlaut":  {header("X-Ä", "1"), request, "headers"},
		"no name":                {header("", "1"), request, "headers"},
		"parameter":              {req: parameter("account_id")},
		"grant_type":             {parameter("grant_type"), request, "parameters.grant_type"},
		"client_id":              {parameter("client_id"), request, "parameters.client_id"},
		"client_secret":          {parameter("client_secret"), request, "parameters.client_secret"},
		"client_assertion":       {parameter("client_assertion"), request, "parameters.client_assertion"},
		"client_assertion_type":  {parameter("client_assertion_type"), request, "parameters.client_assertion_type"},
		"scope":                  {parameter("scope"), request, "parameters.scope"},
		"audience":               {parameter("audience"), request, "parameters.audience"},
		"resource":               {parameter("resource"), request, "parameters.resource"},
		"no name of a parameter": {parameter(""), request, "parameters"},
		"http":                   {at("http://a.example.com"), request, "url"},
		"no host":                {at("https:///oauth"), request, "url"},
		"a port alone":           {at("https://:443"), request, "url"},
		"user info":              {at("https://etl:hunter2@a.example.com"), request, "url"},
		"fragment":               {at("https://a.example.com/#f"), request, "url"},
		"no URL":                 {at("%zz"), request, "url"},
		"empty URL":              {ask{Provider: v1alpha1.Provider{Experiture: &v1alpha1.Experiture{}}}, request, "url"},
		"raw Basic and a colon": {
			ask{
				Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com", AuthMethod: "ClientSecretBasicRaw"}},
				Values:   exchange.Values{"clientID": "https://etl", "clientSecret": "x"},
			}, key, "clientID",
		},
		"Basic and a colon": {req: ask{
			Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com"}},
			Values:   exchange.Values{"clientID": "https://etl", "clientSecret": "x"},
		}},
		"token ID and a colon": {ask{Provider: v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, Values: exchange.Values{"tokenID": "a:b"}}, key, "tokenID"},
		"client secret of 16 KiB": {req: ask{
			Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL("https://a.example.com"))}},
			Values:   exchange.Values{"clientID": "etl", "clientSecret": exchange.Secret(strings.Repeat("x", 16<<10))},
		}},
		"client secret of more": {
			ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL("https://a.example.com"))}}, Values: exchange.Values{"clientID": "etl", "clientSecret": exchange.Secret(strings.Repeat("x", 16<<10+1))}},
			key, "clientSecret",
		},
		"client ID of more than 16 KiB": {
			ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL("https://a.example.com"))}}, Values: exchange.Values{"clientID": exchange.Secret(strings.Repeat("x", 16<<10+1))}}, key, "clientID",
		},
		"Adobe's client ID with an umlaut": {
			ask{Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{IMSURL: new(v1alpha1.HTTPSURL("https://a.example.com"))}}, Values: exchange.Values{"clientID": "ä"}}, key, "clientID",
		},
		"tenant hash with an umlaut": {
			ask{Provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "GDPR", URL: "https://a.example.com"}}, Values: exchange.Values{"tenantHash": "ä"}}, key, "tenantHash",
		},
		"basic, too long": {
			ask{Provider: v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, Values: exchange.Values{"tokenID": "a", "tokenSecret": exchange.Secret(strings.Repeat("b", 12<<10))}}, key, "tokenSecret",
		},
		"basic, as long as may be": {req: ask{Provider: v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, Values: exchange.Values{"tokenID": "a", "tokenSecret": exchange.Secret(strings.Repeat("b", 12<<10-2))}}},
		"basic":                    {req: ask{Provider: v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, Values: exchange.Values{"tokenID": "a", "tokenSecret": "b:c"}}},
		"tenant hash of two lines": {
			ask{Provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "GDPR", URL: "https://a.example.com"}}, Values: exchange.Values{"tenantHash": "a\nb"}}, key, "tenantHash",
		},
		"a long secret": {
			ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL("https://a.example.com"))}}, Values: exchange.Values{"clientSecret": exchange.Secret(strings.Repeat("x", 16385))}}, key, "clientSecret",
		},
		"OAuth key secret of two lines": {
			ask{Provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "GDPR", URL: "https://a.example.com"}}, Values: exchange.Values{"oauthKeySecret": "a\nb"}}, key, "oauthKeySecret",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rt := roundTrip(func(*http.Request) (*http.Response, error) {
				if test.field != "" {
					t.Error("sent all the same")
				}
				return nil, http.ErrServerClosed
			})
			_, sent := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), rt, test.req.request())
			err := test.req.request().Check()
			if test.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			for _, err := range []error{err, sent} {
				if failed := asError(t, err); failed.Kind != test.kind || failed.Field != test.field {
					t.Errorf("kind %v: %v", failed.Kind, err)
				}
			}
		})
	}
}

func TestCheckRefusesAHeaderGivenTwice(t *testing.T) {
	t.Parallel()
	for _, other := range []string{"x-tenant", "X_Tenant"} {
		req := ask{
			Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com", Headers: map[string]v1alpha1.HeaderValue{"X-Tenant": "7", other: "8"}}},
		}
		if failed := asError(t, req.request().Check()); failed.Kind != exchange.InvalidRequest {
			t.Error(failed)
		}
	}
}
