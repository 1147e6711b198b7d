// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// TestReasonOfIsOneOfAClosedSet is a label: one of a closed set, whatever the error says.
func TestReasonOfIsOneOfAClosedSet(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"outage":        {unavailable(), "EndpointUnavailable"},
		"refused":       {rejected(), "CredentialsRejected"},
		"throttled":     {&exchange.Error{Kind: exchange.Throttled}, "Throttled"},
		"malformed":     {&exchange.Error{Kind: exchange.Malformed}, "MalformedResponse"},
		"key":           {&exchange.Error{Kind: exchange.InvalidKey}, "SecretKeyInvalid"},
		"request":       {&exchange.Error{Kind: exchange.InvalidRequest}, "InvalidSpec"},
		"unsupported":   {&exchange.Error{Kind: exchange.Unsupported}, "InvalidSpec"},
		"address":       {&exchange.Error{Cause: refusedAddress()}, "EndpointRefused"},
		"any other one": {errors.New("read /proc/s3cret"), "EndpointUnavailable"},
	} {
		if got := ReasonOf(tc.err); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

// TestFailureMessagesSayWhatToDo: each says what to do, in whole.
func TestFailureMessagesSayWhatToDo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want string
	}{
		"client Secret's key missing": {
			&missingKeyError{Secret: "etl-client", Key: "client-id", Field: "clientID"},
			"Secret etl-client has no value under the key client-id: add it, or name another key in spec.clientSecretRef.keys.clientID",
		},
		"private key unreadable": {
			&exchange.Error{Kind: exchange.InvalidKey, Field: "clientSecret", Detail: "is no PEM"},
			"Secret etl-client, key my-secret: is no PEM",
		},
		"caBundle bad": {
			&egress.CABundleError{Why: "it is no complete PEM"},
			"spec.tls.caBundle: read CA bundle: it is no complete PEM",
		},
		"request that cannot be sent": {
			&exchange.Error{Kind: exchange.InvalidRequest, Field: "headers.Host", Detail: "is set by the operator"},
			"spec.provider.oauth2: headers.Host: is set by the operator",
		},
		"provider not served": {
			&exchange.Error{Kind: exchange.Unsupported, Detail: "this version does not know the authentication method"},
			"spec.provider.oauth2: this version does not know the authentication method: upgrade the operator, or choose another provider",
		},
		"address refused": {
			&exchange.Error{Kind: exchange.Unavailable, Cause: refusedAddress()},
			"auth.example.com: refuse to connect: the endpoint's address is not public but private; use a public endpoint, or have an administrator allow the address with --allowed-cidrs",
		},
		"refused": {
			&exchange.Error{Kind: exchange.Rejected, Status: 401, Code: "invalid_client", Detail: "the endpoint refused the credentials or the request"},
			"the endpoint refused the credentials or the request: HTTP 401, error invalid_client: check the values of Secret etl-client, what spec.provider.oauth2 asks for, and the client at the vendor; if the ID or the secret has characters other than letters and digits, try authMethod ClientSecretBasicRaw, which does not percent-encode them",
		},
		"refused by a web page": {
			&exchange.Error{Kind: exchange.Rejected, Status: 403, HTML: true, Detail: "the endpoint refused the credentials or the request"},
			"the endpoint refused the credentials or the request: HTTP 403: check the values of Secret etl-client, what spec.provider.oauth2 asks for, and the client at the vendor; if the ID or the secret has characters other than letters and digits, try authMethod ClientSecretBasicRaw, which does not percent-encode them; the answer was a web page: check spec.provider.oauth2.tokenURL",
		},
		"not found": {
			&exchange.Error{Kind: exchange.Unavailable, Status: 404, Detail: "the endpoint gave an unexpected answer"},
			"auth.example.com: the endpoint gave an unexpected answer: HTTP 404; check spec.provider.oauth2.tokenURL; the operator retries",
		},
		"not for POST": {
			&exchange.Error{Kind: exchange.Unavailable, Status: 405, Detail: "the endpoint gave an unexpected answer"},
			"auth.example.com: the endpoint gave an unexpected answer: HTTP 405; check spec.provider.oauth2.tokenURL; the operator retries",
		},
		"redirect": {
			&exchange.Error{Kind: exchange.Unavailable, Status: 302, Detail: "the endpoint redirects, and redirects are not followed"},
			"auth.example.com: the endpoint redirects, and redirects are not followed: HTTP 302; check spec.provider.oauth2.tokenURL; the operator retries",
		},
		"a proxy's page of an outage": {
			&exchange.Error{Kind: exchange.Unavailable, Status: 502, HTML: true, Detail: "the endpoint failed"},
			"auth.example.com: the endpoint failed: HTTP 502; the operator retries",
		},
		"throttled": {
			&exchange.Error{Kind: exchange.Throttled, Status: 429, Detail: "the endpoint is throttling"},
			"the endpoint is throttling: HTTP 429: the operator retries when the endpoint allows it; ask the vendor for a higher limit if this lasts",
		},
		"outage": {
			&exchange.Error{Kind: exchange.Unavailable, Status: 503, Detail: "the endpoint failed"},
			"auth.example.com: the endpoint failed: HTTP 503; the operator retries",
		},
		"untrusted": {
			&exchange.Error{Kind: exchange.Unavailable, Untrusted: true, Detail: "the endpoint's certificate is not trusted"},
			"auth.example.com: the endpoint's certificate is not trusted; put a private CA, as PEM, under the key ca.crt of Secret etl-client, or in " +
				"spec.tls.caBundle with the annotation cdpcredentials.io/allowed-ca on that Secret; the operator retries",
		},
		"no usable token": {
			&exchange.Error{Kind: exchange.Malformed, Status: 200, Detail: "the answer has no token"},
			"the answer has no token: HTTP 200: check that spec.provider.oauth2.tokenURL is the vendor's token endpoint, and check the rest of spec.provider.oauth2",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			s.Object.Spec.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{ClientSecret: "my-secret"}
			provide(s, s.Object.Spec.Provider)
			if got := failureOf(s, tc.err, 0.5).Message; got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestFailureMessageNamesTheAddressField: a page that is not found names the field of the address, whatever the provider calls it.
func TestFailureMessageNamesTheAddressField(t *testing.T) {
	t.Parallel()
	for field, provider := range map[string]v1alpha1.Provider{
		"spec.provider.experiture.tokenURL": {Experiture: &v1alpha1.Experiture{TokenURL: "https://auth.example.com/token"}},
		"spec.provider.adobe.imsURL":        {Adobe: &v1alpha1.Adobe{OrganizationID: "A@AdobeOrg", Scopes: []v1alpha1.Scope{"openid"}}},
		"spec.provider.apsis.url":           {Apsis: &v1alpha1.Apsis{}},
		"spec.provider.algonomy.url":        {Algonomy: &v1alpha1.Algonomy{URL: "https://api.example.com", API: "Profile"}},
		"spec.provider.auth0.domain":        {Auth0: &v1alpha1.Auth0{Domain: "auth.example.com"}},
		"spec.provider.oauth2.tokenURL":     {OAuth2: &v1alpha1.OAuth2{TokenURL: "https://auth.example.com/token"}},
	} {
		s := steady()
		provide(s, provider)
		if got := failureOf(s, &exchange.Error{Kind: exchange.Unavailable, Status: 404}, 0).Message; !strings.Contains(got, "check "+field+";") {
			t.Errorf("%s is not named: %s", field, got)
		}
	}
}

// TestRejectionNamesTheOtherBasicEncoding: under ClientSecretBasic, and only there, a rejection names the other way to write the header. Whether it would help depends on the
// secret's characters, which the message must not tell.
func TestRejectionNamesTheOtherBasicEncoding(t *testing.T) {
	t.Parallel()
	for method, want := range map[v1alpha1.AuthMethod]bool{"": true, "ClientSecretBasic": true, "ClientSecretBasicRaw": false, "ClientSecretPost": false, "PrivateKeyJWT": false} {
		s := steady()
		provide(s, v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://auth.example.com/token", AuthMethod: method}})
		f := failureOf(s, &exchange.Error{Kind: exchange.Rejected, Status: 401}, 0)
		if got := strings.Contains(f.Message, "ClientSecretBasicRaw"); got != want {
			t.Errorf("%q: it is named: %t, want %t: %s", method, got, want, f.Message)
		}
	}
	s := steady()
	provide(s, v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}})
	if f := failureOf(s, &exchange.Error{Kind: exchange.Rejected, Status: 401}, 0); strings.Contains(f.Message, "ClientSecretBasicRaw") {
		t.Errorf("apsis: %s", f.Message)
	}
}

// TestFailureMessagesAreSteady: no times, no counters, no jitter, no correlation ids; and nothing of a cause's text, which others wrote.
func TestFailureMessagesAreSteady(t *testing.T) {
	t.Parallel()
	for kind := exchange.Unavailable; kind <= exchange.Unsupported; kind++ {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			t.Parallel()
			first, later := steady(), steady()
			later.Now = at("11:55:43")
			failed(later, failureOf(first, &exchange.Error{Kind: kind}, 0).Reason, "11:55:00")
			later.Object.Status.Failures = 41
			a := failureOf(first, &exchange.Error{Kind: kind, Detail: "it failed", Cause: errors.New("s3cret"), CorrelationID: "abc"}, 0)
			b := failureOf(later, &exchange.Error{
				Kind: kind, Detail: "it failed", Cause: errors.New("other"), CorrelationID: "def", RetryAfter: time.Hour, HasRetryAfter: true,
			}, 0.9)
			if a.Message != b.Message {
				t.Errorf("the message flaps:\n%s\n%s", a.Message, b.Message)
			}
			if strings.Contains(a.Message, "s3cret") || strings.Contains(a.Message, "abc") {
				t.Errorf("the message has what it must not have: %s", a.Message)
			}
			if a.Correlation != "abc" {
				t.Errorf("the correlation id is %q", a.Correlation)
			}
		})
	}
}

// TestBlockerMessagesSayWhatToDo: each says what to do, with a command to copy where there is one.
func TestBlockerMessagesSayWhatToDo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given func(*State)
		want  string
	}{
		"foreign target": {
			foreign,
			"Secret etl-token exists and was not made by this object: choose another spec.target.name, delete the Secret, or hand it over (deleting this object then deletes the Secret, unless it holds keys of others: then it stays, and only the keys of this object are taken out) with: kubectl annotate secret -n marketing etl-token --overwrite 'cdpcredentials.io/credential=etl'",
		},
		"another object's target": {
			func(v *State) { v.Target.Metadata.Annotations["cdpcredentials.io/credential"] = "other" },
			"Secret etl-token is the target of the CDPCredential other: choose another spec.target.name, or hand the Secret over (deleting this object then deletes the Secret, unless it holds keys of others: then it stays, and only the keys of this object are taken out) with: kubectl annotate secret -n marketing etl-token --overwrite 'cdpcredentials.io/credential=etl'",
		},
		"target of an owner that is no name": {
			func(v *State) { v.Target.Metadata.Annotations["cdpcredentials.io/credential"] = "call 555-0100" },
			"Secret etl-token is the target of another CDPCredential: choose another spec.target.name, or hand the Secret over (deleting this object then deletes the Secret, unless it holds keys of others: then it stays, and only the keys of this object are taken out) with: kubectl annotate secret -n marketing etl-token --overwrite 'cdpcredentials.io/credential=etl'",
		},
		"unusable target": {
			holding(func(s *TargetSecret) { s.Unusable = "is immutable" }),
			"Secret etl-token is immutable: delete it, or choose another spec.target.name",
		},
		"target that is being deleted": {
			holding(func(s *TargetSecret) { s.Unusable = "is being deleted" }),
			"Secret etl-token is being deleted: wait until it is gone (its metadata.finalizers say what it waits for), or choose another spec.target.name",
		},
		"client Secret missing": {
			func(v *State) { v.Client = ClientSecret{} },
			"create the Secret etl-client in this namespace, with the keys client-id and client-secret",
		},
		"client Secret missing, one key needed": {
			func(v *State) { algonomy(v); v.Client = ClientSecret{} },
			"create the Secret etl-client in this namespace, with the key tenant-hash",
		},
		"no consent at all": {
			func(v *State) { v.Client.AllowedHosts = "" },
			"Secret etl-client does not allow its values to be sent to auth.example.com; if that host is right, whoever may change the Secret allows it with: kubectl annotate secret -n marketing etl-client --overwrite 'cdpcredentials.io/allowed-hosts=auth.example.com'",
		},
		"a port, which is said": {
			func(v *State) { v.Client.AllowedHosts = ""; provide(v, apsisAt("https://auth.example.com:8443")) },
			"Secret etl-client does not allow its values to be sent to auth.example.com:8443; if that host is right, whoever may change the Secret allows it with: kubectl annotate secret -n marketing etl-client --overwrite 'cdpcredentials.io/allowed-hosts=auth.example.com:8443'",
		},
		"an IPv6 address, with brackets": {
			func(v *State) { v.Client.AllowedHosts = ""; provide(v, apsisAt("https://[2606:4700::1111]")) },
			"Secret etl-client does not allow its values to be sent to [2606:4700::1111]; if that host is right, whoever may change the Secret allows it with: kubectl annotate secret -n marketing etl-client --overwrite 'cdpcredentials.io/allowed-hosts=[2606:4700::1111]'",
		},
		// What is there already is neither lost by following the advice nor shown to people who may not read Secrets.
		"consent for others": {
			func(v *State) { v.Client.AllowedHosts = "a.example.org, *.example.net:8443" },
			"Secret etl-client does not allow its values to be sent to auth.example.com; if that host is right, whoever may change the Secret adds auth.example.com to its annotation cdpcredentials.io/allowed-hosts, with a comma after what is there: kubectl edit secret -n marketing etl-client",
		},
		"consent that cannot be read": {
			func(v *State) { v.Client.AllowedHosts = "*" },
			"the annotation cdpcredentials.io/allowed-hosts of Secret etl-client has an invalid entry, and therefore allows nothing; whoever may change the Secret corrects it: names, *.NAME or IP addresses, each with an optional :PORT, separated by commas; auth.example.com must be among them",
		},
		"provider of a later version": {
			func(v *State) { provide(v, v1alpha1.Provider{}) },
			"spec.provider has no member that this version of the operator knows: upgrade it, or choose another provider",
		},
		"URL without an endpoint": {
			func(v *State) { provide(v, apsisAt("http://auth.example.com")) },
			"spec.provider.apsis: the URL is not https: write https://HOST/PATH",
		},
		"budget": {
			func(v *State) { budget(v, 20, 20); v.Difference = Different },
			"the 20 tokens of spec.refresh.maxPerDay were issued today: the next one is issued on the next day (UTC), or when maxPerDay is raised",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			tc.given(v)
			if got := Decide(v).Failure; got == nil || got.Message != tc.want {
				t.Errorf("got  %+v\nwant %s", got, tc.want)
			}
		})
	}
}

// TestBlockerMessagesAreBounded: what others wrote into annotations does not fill status.
func TestBlockerMessagesAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	tests := map[string]func(*State){
		"owner":                  func(s *State) { s.Target.Metadata.Annotations["cdpcredentials.io/credential"] = long },
		"consent":                func(s *State) { s.Client.AllowedHosts = strings.Repeat("a.example.com,", 10_000) },
		"consent, one long host": func(s *State) { s.Client.AllowedHosts = long },
	}
	for name, given := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			given(s)
			if f := Decide(s).Failure; f == nil || len(f.Message) > 1000 {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestShortenCutsAtACharacter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "abcd": "abcd", "abcde": "abcd…", "abcé": "abc…", "abé": "abé", "éééé": "éé…"} {
		if got := shorten(text, 4); got != want || !utf8.ValidString(got) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
