// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

func specOf(p v1alpha1.Provider) *v1alpha1.CDPCredentialSpec {
	return &v1alpha1.CDPCredentialSpec{Provider: p, ClientSecretRef: v1alpha1.ClientSecretReference{Name: "etl-client"}}
}

func lasting(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }

// TestDesiredFlowOfEachProvider: where each provider's spec goes by default or by the user's will, and the keys that it needs of the client Secret ("?": optional). What is
// sent there is internal/flow's to test.
func TestDesiredFlowOfEachProvider(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		provider v1alpha1.Provider
		name     string
		endpoint string
		keys     []string
	}{
		"experiture": {
			v1alpha1.Provider{Experiture: &v1alpha1.Experiture{TokenURL: "https://auth.example.com/t", Scopes: []v1alpha1.Scope{"a:read", "b"}}},
			"experiture", "auth.example.com:443",
			[]string{"client-id", "client-secret"},
		},
		"adobe": {
			v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg", SandboxName: "prod", Scopes: []v1alpha1.Scope{"openid"}}},
			"adobe", "ims-na1.adobelogin.com:443",
			[]string{"client-id", "client-secret"},
		},
		"adobe, elsewhere": {
			v1alpha1.Provider{Adobe: &v1alpha1.Adobe{IMSURL: new(v1alpha1.HTTPSURL("https://ims.example.com:8443")), OrganizationID: "ABC@AdobeOrg", Scopes: []v1alpha1.Scope{"openid"}}},
			"adobe", "ims.example.com:8443",
			[]string{"client-id", "client-secret"},
		},
		"adobe with a service account": {
			v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg", ServiceAccount: &v1alpha1.AdobeServiceAccount{
				TechnicalAccountID: "X@techacct.adobe.com", Metascopes: []v1alpha1.Scope{"ent_dataservices_sdk"},
			}}},
			"adobe", "ims-na1.adobelogin.com:443",
			[]string{"client-id", "client-secret", "private-key", "private-key-passphrase?", "key-id?"},
		},
		"apsis": {
			v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}},
			"apsis", "api.apsis.one:443",
			[]string{"client-id", "client-secret"},
		},
		"apsis, Asia": {
			v1alpha1.Provider{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL("https://api-apac.apsis.one"))}},
			"apsis", "api-apac.apsis.one:443",
			[]string{"client-id", "client-secret"},
		},
		"algonomy": {
			v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://b2b.example.com", API: "Profile", Resources: []v1alpha1.Scope{"basic", "segments"}}},
			"algonomy", "b2b.example.com:443",
			[]string{"tenant-hash", "oauth-key-secret?"},
		},
		"algonomy GDPR": {
			v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://gdpr.example.com", API: "GDPR", Validity: lasting(5 * time.Hour)}},
			"algonomy", "gdpr.example.com:443",
			[]string{"tenant-hash", "oauth-key-secret?"},
		},
		"auth0": {
			v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: "tenant.example.com:8443", Audience: "https://api.example.com"}},
			"auth0", "tenant.example.com:8443",
			[]string{"client-id", "client-secret"},
		},
		"oauth2": {
			v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://auth.example.com/t"}},
			"oauth2", "auth.example.com:443",
			[]string{"client-id", "client-secret"},
		},
		"oauth2, everything": {
			v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{
				TokenURL: "https://auth.example.com/t", AuthMethod: "PrivateKeyJWT", RequestFormat: "JSON", Scopes: []v1alpha1.Scope{"a"}, ScopeSeparator: ",",
				Audience: "aud", Resources: []string{"urn:x"}, Parameters: map[string]v1alpha1.ParameterValue{"p": "1"}, Headers: map[string]v1alpha1.HeaderValue{"X-H": "2"},
				Response: &v1alpha1.OAuth2Response{TokenField: "data.jwt", ExpiresInField: "data.ttl", ExpiresInUnit: "Minutes"}, DefaultLifetime: lasting(time.Hour),
			}},
			"oauth2", "auth.example.com:443",
			[]string{"client-id", "private-key", "private-key-passphrase?", "key-id?"},
		},
		"basic": {
			v1alpha1.Provider{Basic: &v1alpha1.Basic{}},
			"basic", ":0",
			[]string{"token-id", "token-secret"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, err := DesiredFlowOf(specOf(tc.provider))
			if err != nil {
				t.Fatal(err)
			}
			if in.Flow.Provider != tc.name || in.Endpoint.String() != tc.endpoint {
				t.Errorf("got %s at %s, want %s at %s", in.Flow.Provider, in.Endpoint, tc.name, tc.endpoint)
			}
			var keys []string
			for _, key := range in.Flow.Keys {
				if key.Optional {
					key.Name += "?"
				}
				keys = append(keys, key.Name)
			}
			if diff := cmp.Diff(tc.keys, keys); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDesiredFlowKnowsTheVendorsHosts: the vendors' own hosts, which need no consent.
func TestDesiredFlowKnowsTheVendorsHosts(t *testing.T) {
	t.Parallel()
	for address, vendors := range map[string][]string{
		"https://ims-na1.adobelogin.com":      {"adobe"},
		"https://ims-na1-stg1.adobelogin.com": {"adobe"},
		"https://platform.adobe.io":           {"adobe"},
		"https://ims-na2.adobelogin.com":      nil,
		"https://api.apsis.one":               {"apsis"},
		"https://api-apac.apsis.one":          {"apsis"},
		"https://x.api.apsis.one":             nil,
		"https://api.experiture.ai":           {"experiture"},
		"https://auth.example.com":            nil,
	} {
		var got []string
		for _, p := range []v1alpha1.Provider{
			{Adobe: &v1alpha1.Adobe{IMSURL: new(v1alpha1.HTTPSURL(address))}}, {Algonomy: &v1alpha1.Algonomy{URL: v1alpha1.HTTPSURL(address), API: "Profile"}},
			{Apsis: &v1alpha1.Apsis{URL: new(v1alpha1.HTTPSURL(address))}}, {Auth0: &v1alpha1.Auth0{Domain: address[len("https://"):]}},
			{Experiture: &v1alpha1.Experiture{TokenURL: v1alpha1.HTTPSURL(address)}}, {OAuth2: &v1alpha1.OAuth2{TokenURL: v1alpha1.HTTPSURL(address)}},
		} {
			in, err := DesiredFlowOf(specOf(p))
			if err != nil {
				t.Fatal(err)
			}
			if in.isVendorsOwn(in.Endpoint) {
				got = append(got, in.Flow.Provider)
			}
		}
		if diff := cmp.Diff(vendors, got); diff != "" {
			t.Errorf("%s, -want +got:\n%s", address, diff)
		}
	}
}

func TestDesiredFlowRefusesAnInvalidSpec(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		provider v1alpha1.Provider
		name     string
	}{
		"no provider":           {v1alpha1.Provider{}, ""},
		"http":                  {apsisAt("http://api.apsis.one"), "apsis"},
		"user info":             {apsisAt("https://user:s3cret@api.apsis.one"), "apsis"},
		"fragment":              {apsisAt("https://api.apsis.one#x"), "apsis"},
		"number":                {apsisAt("https://2130706433"), "apsis"},
		"no host":               {v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https:///x"}}, "oauth2"},
		"user info in a domain": {v1alpha1.Provider{Auth0: &v1alpha1.Auth0{Domain: "tenant.example.com@evil.example"}}, "auth0"},
	} {
		in, err := DesiredFlowOf(specOf(tc.provider))
		if err == nil || in.Flow.Provider != tc.name {
			t.Errorf("%s: got %q and the error %v", name, in.Flow.Provider, err)
		}
	}
}

// TestSpecHashChangesWithTheRequestOnly: it changes exactly if something else would be sent, or other values of the client Secret be read. A default that is written
// out is no change.
func TestSpecHashChangesWithTheRequestOnly(t *testing.T) {
	t.Parallel()
	asked := func(t *testing.T, spec *v1alpha1.CDPCredentialSpec) string {
		t.Helper()
		in, err := DesiredFlowOf(spec)
		if err != nil {
			t.Fatal(err)
		}
		return in.SpecHash
	}
	oauth2 := func(change func(*v1alpha1.OAuth2)) *v1alpha1.CDPCredentialSpec {
		p := &v1alpha1.OAuth2{TokenURL: "https://auth.example.com/t", Scopes: []v1alpha1.Scope{"a", "b"}}
		change(p)
		return specOf(v1alpha1.Provider{OAuth2: p})
	}
	keyed := func(spec *v1alpha1.CDPCredentialSpec, keys v1alpha1.ClientSecretKeys) *v1alpha1.CDPCredentialSpec {
		spec.ClientSecretRef.Keys = &keys
		return spec
	}
	plain := func(*v1alpha1.OAuth2) {}
	resources := func(list ...v1alpha1.Scope) *v1alpha1.CDPCredentialSpec {
		return specOf(v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://x.example.com", API: "Profile", Resources: list}})
	}
	tests := map[string]struct {
		a, b *v1alpha1.CDPCredentialSpec
		same bool
	}{
		"nothing":                  {oauth2(plain), oauth2(plain), true},
		"auth method, default":     {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.AuthMethod = "ClientSecretBasic" }), true},
		"auth method":              {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.AuthMethod = "ClientSecretPost" }), false},
		"request format, default":  {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.RequestFormat = "Form" }), true},
		"request format":           {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.RequestFormat = "JSON" }), false},
		"scope separator, default": {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.ScopeSeparator = " " }), true},
		"response, default": {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) {
			p.Response = &v1alpha1.OAuth2Response{TokenField: "access_token", ExpiresInField: "expires_in", ExpiresInUnit: "Seconds"}
		}), true},
		"response, empty": {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.Response = &v1alpha1.OAuth2Response{} }), true},
		"response unit":   {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.Response = &v1alpha1.OAuth2Response{ExpiresInUnit: "Minutes"} }), false},
		"empty lists and maps": {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) {
			p.Resources, p.Parameters, p.Headers = []string{}, map[string]v1alpha1.ParameterValue{}, map[string]v1alpha1.HeaderValue{}
		}), true},
		"scopes":                       {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.Scopes = []v1alpha1.Scope{"a"} }), false},
		"scopes' order":                {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.Scopes = []v1alpha1.Scope{"b", "a"} }), false},
		"token URL":                    {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.TokenURL = "https://auth.example.com/u" }), false},
		"default lifetime":             {oauth2(plain), oauth2(func(p *v1alpha1.OAuth2) { p.DefaultLifetime = lasting(time.Hour) }), false},
		"default lifetime, as written": {oauth2(func(p *v1alpha1.OAuth2) { p.DefaultLifetime = lasting(60 * time.Minute) }), oauth2(func(p *v1alpha1.OAuth2) { p.DefaultLifetime = lasting(time.Hour) }), true},
		"keys, empty":                  {oauth2(plain), keyed(oauth2(plain), v1alpha1.ClientSecretKeys{}), true},
		"keys, default":                {oauth2(plain), keyed(oauth2(plain), v1alpha1.ClientSecretKeys{ClientID: "client-id", ClientSecret: "client-secret"}), true},
		"keys, one that is not read":   {oauth2(plain), keyed(oauth2(plain), v1alpha1.ClientSecretKeys{TenantHash: "x"}), true},
		"keys":                         {oauth2(plain), keyed(oauth2(plain), v1alpha1.ClientSecretKeys{ClientID: "id"}), false},
		"keys, of a CA":                {oauth2(plain), keyed(oauth2(plain), v1alpha1.ClientSecretKeys{CACertificate: "ca.pem"}), false},
		"keys, of another CA":          {keyed(oauth2(plain), v1alpha1.ClientSecretKeys{CACertificate: "x"}), keyed(oauth2(plain), v1alpha1.ClientSecretKeys{CACertificate: "y"}), false},
		"keys, two changed round":      {keyed(oauth2(plain), v1alpha1.ClientSecretKeys{ClientID: "x", ClientSecret: "y"}), keyed(oauth2(plain), v1alpha1.ClientSecretKeys{ClientID: "y", ClientSecret: "x"}), false},
		"another client Secret":        {oauth2(plain), func() *v1alpha1.CDPCredentialSpec { s := oauth2(plain); s.ClientSecretRef.Name = "other"; return s }(), false},
		"target, refresh, verify": {oauth2(plain), func() *v1alpha1.CDPCredentialSpec {
			s := oauth2(plain)
			s.Target.Name = "x"
			s.Refresh = &v1alpha1.Refresh{}
			s.Verify = &v1alpha1.Verify{}
			s.Suspend = true
			return s
		}(), true},
		"CA bundle": {oauth2(plain), func() *v1alpha1.CDPCredentialSpec {
			s := oauth2(plain)
			s.TLS = &v1alpha1.TLS{CABundle: []byte("x")}
			return s
		}(), true},
		"another provider, same fields": {specOf(v1alpha1.Provider{Experiture: &v1alpha1.Experiture{TokenURL: "https://x.example.com"}}), specOf(v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://x.example.com"}}), false},
		"apsis URL, default":            {specOf(v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}), specOf(apsisAt("https://api.apsis.one")), true},
		"algonomy resources":            {resources("basic"), resources("basic", "segments"), false},
		"algonomy validity, default": {resources("basic"), func() *v1alpha1.CDPCredentialSpec {
			s := resources("basic")
			s.Provider.Algonomy.Validity = lasting(15 * time.Minute)
			return s
		}(), true},
		"adobe URL, default": {specOf(v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "o"}}), specOf(v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "o", IMSURL: new(v1alpha1.HTTPSURL("https://ims-na1.adobelogin.com"))}}), true},
		"adobe sandbox":      {specOf(v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "o"}}), specOf(v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "o", SandboxName: "dev"}}), false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := asked(t, tc.a) == asked(t, tc.b); got != tc.same {
				t.Errorf("taken for the same: %t", got)
			}
		})
	}
}

func clientSecret(data map[string]string) *corev1.Secret {
	secret := &corev1.Secret{Data: map[string][]byte{}}
	secret.Name = "etl-client"
	for key, value := range data {
		secret.Data[key] = []byte(value)
	}
	return secret
}

// TestRequestReadsTheKeysOfTheClientSecret: which key of the client Secret goes where, under its default name and another.
func TestRequestReadsTheKeysOfTheClientSecret(t *testing.T) {
	t.Parallel()
	everything := map[string]string{
		"client-id": "1", "client-secret": "2", "private-key": "3", "private-key-passphrase": "4", "key-id": "5", "tenant-hash": "6", "oauth-key-secret": "7",
		"token-id": "8", "token-secret": "9",
		"x1": "a", "x2": "b", "x3": "c", "x4": "d", "x5": "e", "x6": "f", "x7": "g", "x8": "h", "x9": "i",
	}
	remapped := &v1alpha1.ClientSecretKeys{
		ClientID: "x1", ClientSecret: "x2", PrivateKey: "x3", PrivateKeyPassphrase: "x4", KeyID: "x5", TenantHash: "x6", OAuthKeySecret: "x7", TokenID: "x8", TokenSecret: "x9",
	}
	tests := map[string]struct {
		provider      v1alpha1.Provider
		want, renamed exchange.Values
	}{
		"client-id, client-secret": {apsisAt("https://api.apsis.one"), exchange.Values{"clientID": "1", "clientSecret": "2"}, exchange.Values{"clientID": "a", "clientSecret": "b"}},
		"adobe service account": {
			v1alpha1.Provider{Adobe: &v1alpha1.Adobe{ServiceAccount: &v1alpha1.AdobeServiceAccount{}}},
			exchange.Values{"clientID": "1", "clientSecret": "2", "privateKey": "3", "privateKeyPassphrase": "4", "keyID": "5"}, exchange.Values{"clientID": "a", "clientSecret": "b", "privateKey": "c", "privateKeyPassphrase": "d", "keyID": "e"},
		},
		"PrivateKeyJWT": {
			v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://auth.example.com", AuthMethod: "PrivateKeyJWT"}},
			exchange.Values{"clientID": "1", "privateKey": "3", "privateKeyPassphrase": "4", "keyID": "5"}, exchange.Values{"clientID": "a", "privateKey": "c", "privateKeyPassphrase": "d", "keyID": "e"},
		},
		"algonomy": {
			v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://x.example.com", API: "Profile"}},
			exchange.Values{"tenantHash": "6", "oauthKeySecret": "7"}, exchange.Values{"tenantHash": "f", "oauthKeySecret": "g"},
		},
		"basic": {v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, exchange.Values{"tokenID": "8", "tokenSecret": "9"}, exchange.Values{"tokenID": "h", "tokenSecret": "i"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := specOf(tc.provider)
			for _, want := range []exchange.Values{tc.want, tc.renamed} {
				in, err := DesiredFlowOf(spec)
				if err != nil {
					t.Fatal(err)
				}
				req, err := in.Request(clientSecret(everything))
				if err != nil || !maps.Equal(req.Values, want) {
					t.Errorf("with keys %v the values went elsewhere (%v)", spec.ClientSecretRef.Keys, err)
				}
				spec.ClientSecretRef.Keys = remapped
			}
		})
	}
}

// TestRequestNamesTheFirstMissingKey names the first key that has no value, and how it could be named otherwise. Optional ones may be missing.
func TestRequestNamesTheFirstMissingKey(t *testing.T) {
	t.Parallel()
	serviceAccount := v1alpha1.Provider{Adobe: &v1alpha1.Adobe{ServiceAccount: &v1alpha1.AdobeServiceAccount{}}}
	tests := map[string]struct {
		provider v1alpha1.Provider
		data     map[string]string
		want     string
	}{
		"all there":         {serviceAccount, map[string]string{"client-id": "1", "client-secret": "2", "private-key": "3"}, ""},
		"algonomy, all":     {v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://x.example.com", API: "Profile"}}, map[string]string{"tenant-hash": "1"}, ""},
		"nothing":           {serviceAccount, nil, "clientID"},
		"no client secret":  {serviceAccount, map[string]string{"client-id": "1"}, "clientSecret"},
		"no private key":    {serviceAccount, map[string]string{"client-id": "1", "client-secret": "2"}, "privateKey"},
		"empty":             {serviceAccount, map[string]string{"client-id": "", "client-secret": "2", "private-key": "3"}, "clientID"},
		"only a newline":    {serviceAccount, map[string]string{"client-id": "\n", "client-secret": "2", "private-key": "3"}, "clientID"},
		"key in upper case": {serviceAccount, map[string]string{"CLIENT-ID": "1", "client-secret": "2", "private-key": "3"}, "clientID"},
		"no tenant hash":    {v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: "https://x.example.com", API: "Profile"}}, map[string]string{"oauth-key-secret": "1"}, "tenantHash"},
		"no token id":       {v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, map[string]string{"token-secret": "1"}, "tokenID"},
		"no token secret":   {v1alpha1.Provider{Basic: &v1alpha1.Basic{}}, map[string]string{"token-id": "1"}, "tokenSecret"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, err := DesiredFlowOf(specOf(tc.provider))
			if err != nil {
				t.Fatal(err)
			}
			_, err = in.Request(clientSecret(tc.data))
			got := ""
			if missing, ok := errors.AsType[*missingKeyError](err); ok {
				got = missing.Field
			}
			if got != tc.want || (err == nil) != (tc.want == "") {
				t.Errorf("got %q (%v), want %q", got, err, tc.want)
			}
		})
	}
}

// TestTrimNewlineCutsOne: one trailing newline, as echo leaves it, on Unix or on Windows.
func TestTrimNewlineCutsOne(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "x": "x", "x\n": "x", "x\r\n": "x", "x\n\n": "x\n", "x\r\n\r\n": "x\r\n", "x\r": "x\r", "x\n\r": "x\n\r", "\n": "", "\r\n": "", "\nx": "\nx", "x ": "x ", "x \n": "x ", "x\t\n": "x\t",
		"-----BEGIN\nx\n-----END\n": "-----BEGIN\nx\n-----END",
	} {
		if got := trimNewline(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestTrailingNewlineIsNoChange: a Secret that was made again with echo asks for nothing.
func TestTrailingNewlineIsNoChange(t *testing.T) {
	t.Parallel()
	in, err := DesiredFlowOf(specOf(apsisAt("https://api.apsis.one")))
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := func(id, secret string) string {
		req, err := in.Request(clientSecret(map[string]string{"client-id": id, "client-secret": secret}))
		if err != nil {
			t.Fatal(err)
		}
		return req.Fingerprint([]byte("salt"))
	}
	if fingerprint("1", "2") != fingerprint("1\n", "2\r\n") {
		t.Error("a trailing newline is a change")
	}
	if fingerprint("1", "2") == fingerprint("1", "2 ") {
		t.Error("a trailing blank is none")
	}
}

// TestTargetSpecHashChangesWithTheContentOnly: it changes exactly with what the target's content is made of; its name does not count, since a move is no other content.
func TestTargetSpecHashChangesWithTheContentOnly(t *testing.T) {
	t.Parallel()
	target := func(change func(*v1alpha1.Target)) *v1alpha1.Target {
		t := &v1alpha1.Target{
			Name: "etl-token", Labels: map[string]v1alpha1.LabelValue{"a": "1", "b": "2"}, Annotations: map[string]v1alpha1.AnnotationValue{"c": "3"},
			Data: map[string]v1alpha1.DataTemplate{"auth": "Bearer {{ .token }}"},
		}
		change(t)
		return t
	}
	same := TargetSpecHash(target(func(*v1alpha1.Target) {}))
	for name, tc := range map[string]struct {
		change func(*v1alpha1.Target)
		want   bool
	}{
		"nothing":             {func(*v1alpha1.Target) {}, true},
		"another order":       {func(t *v1alpha1.Target) { t.Labels = map[string]v1alpha1.LabelValue{"b": "2", "a": "1"} }, true},
		"name":                {func(t *v1alpha1.Target) { t.Name = "x" }, true},
		"policy, default":     {func(t *v1alpha1.Target) { t.DeletionPolicy = "Delete" }, true},
		"policy":              {func(t *v1alpha1.Target) { t.DeletionPolicy = "Retain" }, false},
		"label":               {func(t *v1alpha1.Target) { t.Labels["a"] = "2" }, false},
		"label removed":       {func(t *v1alpha1.Target) { delete(t.Labels, "a") }, false},
		"annotation":          {func(t *v1alpha1.Target) { t.Annotations["c"] = "" }, false},
		"annotation to label": {func(t *v1alpha1.Target) { t.Annotations, t.Labels["c"] = nil, "3" }, false},
		"template":            {func(t *v1alpha1.Target) { t.Data["auth"] = "{{ .token }}" }, false},
		"template added":      {func(t *v1alpha1.Target) { t.Data["x"] = "" }, false},
		"template removed":    {func(t *v1alpha1.Target) { t.Data = nil }, false},
	} {
		if got := TargetSpecHash(target(tc.change)) == same; got != tc.want {
			t.Errorf("%s: taken for the same: %t", name, got)
		}
	}
}
