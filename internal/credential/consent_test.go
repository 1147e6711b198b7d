// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// having gives the view a client Secret that was read. No data is looked at before consent was judged.
func having(kind corev1.SecretType, keys ...string) func(*State) {
	return func(s *State) {
		s.Client.Content = &corev1.Secret{Type: kind, Data: map[string][]byte{}}
		s.Client.Content.Name = "etl-client"
		for _, key := range keys {
			s.Client.Content.Data[key] = []byte("value")
		}
	}
}

// managed makes the client Secret one that the operator has written, with these keys of its own and those of templates.
func managed(defaults, templated []string) func(*State) {
	return func(s *State) {
		rec := &PersistedState{Salt: []byte("salt"), Object: "another", PersistedTarget: PersistedTarget{TokenMAC: "seal", Keys: append(templated, defaults...), DefaultKeys: defaults}}
		state, err := json.Marshal(rec)
		if err != nil {
			panic(err)
		}
		s.Client.Managed, s.Client.PersistedState = true, string(state)
	}
}

// certificate is a CA in PEM, and its entry in the annotation cdpcredentials.io/allowed-ca.
func certificate(t *testing.T) (bundle []byte, entry string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), "sha256:" + hex.EncodeToString(sum[:])
}

func remapped(s *State) {
	s.Object.Spec.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{ClientSecret: "password"}
	provide(s, s.Object.Spec.Provider)
}

// TestConsentRefusesWhatTheClientSecretDoesNotAllow: a Secret whose owner never thought of this operator is of no use to it. Each case begins with an object at auth.example.com, to which
// its client Secret consents.
func TestConsentRefusesWhatTheClientSecretDoesNotAllow(t *testing.T) {
	t.Parallel()
	withoutConsent := func(s *State) { s.Client.AllowedHosts = "" }
	apsis := func(s *State) { withoutConsent(s); provide(s, v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}) }
	bundle, sum := certificate(t)
	other, _ := certificate(t)
	withBundle := func(s *State) { s.Object.Spec.TLS = &v1alpha1.TLS{CABundle: bundle} }
	verified := func(s *State) { s.Object.Spec.Verify = &v1alpha1.Verify{URL: "https://auth.example.com/me"} }
	basicOf := func(s *State) { provide(s, v1alpha1.Provider{Basic: &v1alpha1.Basic{}}) }
	for name, tc := range map[string]struct {
		given  []func(*State)
		reason string
		say    string
	}{
		"its own consent":     {nil, "", ""},
		"no consent":          {[]func(*State){withoutConsent}, "HostNotAllowed", "cdpcredentials.io/allowed-hosts=auth.example.com"},
		"the administrator's": {[]func(*State){withoutConsent, func(s *State) { s.AllowedHosts = hosts("*.example.com") }}, "", ""},
		"the administrator's, for a token of the cluster": {[]func(*State){
			withoutConsent, func(s *State) { s.AllowedHosts = hosts("*.example.com") }, having(corev1.SecretTypeServiceAccountToken),
		}, "HostNotAllowed", "is a credential of the cluster itself"},
		"a token of the cluster, by its own consent": {[]func(*State){having(corev1.SecretTypeServiceAccountToken)}, "", ""},
		"its own consent, but not on the administrator's list": {[]func(*State){func(s *State) { s.TokenHostsOnly = hosts("id.example.org") }},
			"HostNotAllowed", "--token-hosts-only"},
		"its own consent, on the administrator's list": {[]func(*State){func(s *State) { s.TokenHostsOnly = hosts("auth.example.com") }}, "", ""},
		"a vendor's host, not on the list":             {[]func(*State){apsis, func(s *State) { s.TokenHostsOnly = hosts("auth.example.com") }}, "HostNotAllowed", "--token-hosts-only"},

		"a vendor's own host":               {[]func(*State){apsis}, "", ""},
		"a vendor's own host, Opaque":       {[]func(*State){apsis, having(corev1.SecretTypeOpaque)}, "", ""},
		"a vendor's own host, another type": {[]func(*State){apsis, having(corev1.SecretTypeTLS)}, "HostNotAllowed", "is not of the type Opaque"},
		"a vendor's own host, other keys":   {[]func(*State){apsis, remapped}, "HostNotAllowed", "other keys than the default ones"},
		"a vendor's own host, keys spelt out": {[]func(*State){apsis, func(s *State) {
			s.Object.Spec.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{ClientID: "client-id"}
			provide(s, s.Object.Spec.Provider)
		}}, "", ""},
		"a vendor's own host, another port":     {[]func(*State){withoutConsent, func(s *State) { provide(s, apsisAt("https://api.apsis.one:8443")) }}, "HostNotAllowed", "api.apsis.one:8443 is not the port"},
		"a vendor's own host, odd, by consent":  {[]func(*State){apsis, remapped, having(corev1.SecretTypeTLS), func(s *State) { s.Client.AllowedHosts = "api.apsis.one" }}, "", ""},
		"another vendor's host":                 {[]func(*State){withoutConsent, func(s *State) { provide(s, apsisAt("https://api.experiture.ai")) }}, "HostNotAllowed", "api.experiture.ai"},
		"a vendor's own host, a consent unread": {[]func(*State){apsis, func(s *State) { s.Client.AllowedHosts = "*" }}, "", ""},
		"another type, by consent":              {[]func(*State){having(corev1.SecretTypeTLS)}, "", ""},
		"what others consented to is not told":  {[]func(*State){func(s *State) { s.Client.AllowedHosts = "internal.example.org" }}, "HostNotAllowed", "adds auth.example.com to its annotation"},
		"basic without consent":                 {[]func(*State){basicOf}, "SecretNotAllowed", "kubectl annotate secret -n marketing etl-client --overwrite 'cdpcredentials.io/allow-basic=true'"},
		"basic with another word than true":     {[]func(*State){basicOf, func(s *State) { s.Client.AllowBasic = "yes" }}, "SecretNotAllowed", "allow-basic"},
		"basic with consent":                    {[]func(*State){basicOf, func(s *State) { s.Client.AllowBasic = "true" }}, "", ""},
		"basic of a token of the cluster":       {[]func(*State){basicOf, func(s *State) { s.Client.AllowBasic = "true" }, having(corev1.SecretTypeServiceAccountToken)}, "SecretNotAllowed", "a credential of the cluster itself"},
		"managed, without consent":              {[]func(*State){withoutConsent, managed([]string{"client-id", "client-secret"}, nil)}, "SecretNotAllowed", "is or was the target of a CDPCredential"},
		"managed, by the administrator alone":   {[]func(*State){withoutConsent, managed([]string{"client-id", "client-secret"}, nil), func(s *State) { s.AllowedHosts = hosts("auth.example.com") }}, "SecretNotAllowed", "is or was the target"},
		"managed, by consent to another host":   {[]func(*State){managed([]string{"client-id", "client-secret"}, nil), func(s *State) { s.Client.AllowedHosts = "x.example.org"; s.AllowedHosts = hosts("auth.example.com") }}, "HostNotAllowed", "is or was the target"},
		"managed, by consent, default data":     {[]func(*State){managed([]string{"client-id", "client-secret"}, nil)}, "", ""},
		"managed, by consent, a template's key": {[]func(*State){managed([]string{"client-id"}, []string{"client-secret"})}, "SecretNotAllowed", "its key client-secret is not one"},
		"managed, by consent, a foreign key":    {[]func(*State){managed([]string{"client-id"}, nil)}, "SecretNotAllowed", "its key client-secret is not one"},
		"managed, by consent, no record":        {[]func(*State){func(s *State) { s.Client.Managed = true }}, "SecretNotAllowed", "its key client-id is not one"},
		"managed, for basic":                    {[]func(*State){basicOf, managed([]string{"token-id", "token-secret"}, nil), func(s *State) { s.Client.AllowBasic = "true" }}, "SecretNotAllowed", "is or was the target"},
		"managed, by consent, its CA named": {[]func(*State){managed([]string{"client-id", "client-secret"}, nil), func(s *State) {
			s.Object.Spec.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{CACertificate: "ca.pem"}
		}}, "SecretNotAllowed", "remove spec.clientSecretRef.keys.caCertificate"},
		"basic with consent, a CA without": {[]func(*State){basicOf, withBundle, verified, func(s *State) { s.Client.AllowBasic = "true" }}, "CANotAllowed", "cdpcredentials.io/allowed-ca=" + sum},
		"basic with consent to both":       {[]func(*State){basicOf, withBundle, verified, func(s *State) { s.Client.AllowBasic, s.Client.AllowedCA = "true", sum }}, "", ""},
		"basic, a CA for nobody":           {[]func(*State){basicOf, withBundle, func(s *State) { s.Client.AllowBasic = "true" }}, "", ""},
		"a CA without consent":             {[]func(*State){withBundle}, "CANotAllowed", "cdpcredentials.io/allowed-ca=" + sum},
		"a CA, any allowed":                {[]func(*State){withBundle, func(s *State) { s.Client.AllowedCA = "*" }}, "", ""},
		"a CA, by its sum":                 {[]func(*State){withBundle, func(s *State) { s.Client.AllowedCA = "sha256:" + strings.Repeat("0", 64) + ", " + strings.ToUpper(sum) }}, "", ""},
		"two CAs, one allowed": {[]func(*State){func(s *State) {
			s.Object.Spec.TLS = &v1alpha1.TLS{CABundle: append(bundle, other...)}
			s.Client.AllowedCA = sum
		}}, "CANotAllowed", "etl-client"},
		"a CA, a consent that cannot be read": {[]func(*State){withBundle, func(s *State) { s.Client.AllowedCA = sum + ",x" }}, "CANotAllowed", "cannot be read"},
		"a CA at a vendor's own host":         {[]func(*State){apsis, withBundle, func(s *State) { s.Client.AllowedCA = "*" }}, "CANotAllowed", "no private CA is accepted for the vendor's own host api.apsis.one"},
		"a CA at a vendor's host, by oauth2": {[]func(*State){withBundle, func(s *State) {
			s.Client.AllowedCA, s.Client.AllowedHosts = "*", "api.apsis.one"
			provide(s, v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://api.apsis.one/t"}})
		}}, "CANotAllowed", "remove spec.tls.caBundle"},
		"the Secret's own CA, no PEM":            {[]func(*State){having(corev1.SecretTypeOpaque, "ca.crt")}, "SecretKeyInvalid", "key ca.crt"},
		"its issuer's CA, which is none of ours": {[]func(*State){having(corev1.SecretTypeTLS, "ca.crt")}, "", ""},
		"another key of a CA, which is not there": {[]func(*State){having(corev1.SecretTypeTLS), func(s *State) {
			s.Object.Spec.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{CACertificate: "ca.pem"}
		}}, "SecretKeyMissing", "ca.pem"},
		"its own CA, at a vendor's own host": {[]func(*State){apsis, having(corev1.SecretTypeOpaque, "ca.crt")}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			for _, change := range tc.given {
				change(s)
			}
			f := clientConsent(s)
			if s.Client.Content != nil {
				f = liveConsent(s)
			}
			got, message := "", ""
			if f != nil {
				got, message = f.Reason, f.Message
			}
			if got != tc.reason || !strings.Contains(message, tc.say) {
				t.Errorf("got %s: %s\nwant %s: %s", got, message, tc.reason, tc.say)
			}
			if strings.Contains(message, "internal.example.org") {
				t.Errorf("the message repeats the annotation: %s", message)
			}
		})
	}
}

// TestRootsOfAnEndpointAreItsConsentedCA: which CA stands for an endpoint.
func TestRootsOfAnEndpointAreItsConsentedCA(t *testing.T) {
	t.Parallel()
	endpoint := func(s *State) string { return string(s.Roots(s.Desired.Endpoint)) }
	s := steady()
	if got := endpoint(s); got != "" {
		t.Errorf("nothing said: %q", got)
	}
	having(corev1.SecretTypeOpaque, "ca.crt", "ca.pem")(s)
	if got := endpoint(s); got != "value" {
		t.Errorf("the Secret's own: %q", got)
	}
	s.Object.Spec.TLS = &v1alpha1.TLS{CABundle: []byte("bundle")}
	if got := endpoint(s); got != "bundle\nvalue" {
		t.Errorf("both: %q", got)
	}
	having(corev1.SecretTypeTLS, "ca.crt")(s)
	if got := endpoint(s); got != "bundle" {
		t.Errorf("an issuer's CA is none of ours: %q", got)
	}
	having(corev1.SecretTypeOpaque, "ca.crt")(s)
	managed([]string{"client-id", "client-secret"}, []string{"ca.crt"})(s)
	if got := endpoint(s); got != "bundle" {
		t.Errorf("one that a template made: %q", got)
	}
	provide(s, v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}})
	if got := endpoint(s); got != "" {
		t.Errorf("a vendor's own host: %q", got)
	}
}
