package controllers

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
func having(kind corev1.SecretType, keys ...string) func(*view) {
	return func(v *view) {
		v.client.secret = &corev1.Secret{Type: kind, Data: map[string][]byte{}}
		v.client.secret.Name = "etl-client"
		for _, key := range keys {
			v.client.secret.Data[key] = []byte("value")
		}
	}
}

// managed makes the client Secret one that the operator has written, with these keys of its own and those of templates.
func managed(defaults, templated []string) func(*view) {
	return func(v *view) {
		rec := &record{Salt: []byte("salt"), Object: "another", Token: "seal", Keys: append(templated, defaults...), Default: defaults}
		state, err := json.Marshal(rec)
		if err != nil {
			panic(err)
		}
		v.client.managed, v.client.state = true, string(state)
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

func remapped(v *view) {
	v.obj.Spec.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{ClientSecret: "password"}
	provide(v, v.obj.Spec.Provider)
}

// TestConsent: a Secret whose owner never thought of this operator is of no use to it. Each case begins with an object at auth.example.com, to which
// its client Secret consents.
func TestConsent(t *testing.T) {
	t.Parallel()
	withoutConsent := func(v *view) { v.client.allowedHosts = "" }
	apsis := func(v *view) { withoutConsent(v); provide(v, v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}) }
	bundle, sum := certificate(t)
	other, _ := certificate(t)
	withBundle := func(v *view) { v.obj.Spec.TLS = &v1alpha1.TLS{CABundle: bundle} }
	verified := func(v *view) { v.obj.Spec.Verify = &v1alpha1.Verify{URL: "https://auth.example.com/me"} }
	basicOf := func(v *view) { provide(v, v1alpha1.Provider{Basic: &v1alpha1.Basic{}}) }
	for name, tc := range map[string]struct {
		given  []func(*view)
		reason string
		say    string
	}{
		"its own consent":     {nil, "", ""},
		"no consent":          {[]func(*view){withoutConsent}, "HostNotAllowed", "cdpcredentials.io/allowed-hosts=auth.example.com"},
		"the administrator's": {[]func(*view){withoutConsent, func(v *view) { v.allowed = hosts("*.example.com") }}, "", ""},
		"the administrator's, for a token of the cluster": {[]func(*view){
			withoutConsent, func(v *view) { v.allowed = hosts("*.example.com") }, having(corev1.SecretTypeServiceAccountToken),
		}, "HostNotAllowed", "is a credential of the cluster itself"},
		"a token of the cluster, by its own consent": {[]func(*view){having(corev1.SecretTypeServiceAccountToken)}, "", ""},
		"its own consent, but not on the administrator's list": {[]func(*view){func(v *view) { v.only = hosts("id.example.org") }},
			"HostNotAllowed", "--token-hosts-only"},
		"its own consent, on the administrator's list": {[]func(*view){func(v *view) { v.only = hosts("auth.example.com") }}, "", ""},
		"a vendor's host, not on the list":             {[]func(*view){apsis, func(v *view) { v.only = hosts("auth.example.com") }}, "HostNotAllowed", "--token-hosts-only"},

		"a vendor's own host":               {[]func(*view){apsis}, "", ""},
		"a vendor's own host, Opaque":       {[]func(*view){apsis, having(corev1.SecretTypeOpaque)}, "", ""},
		"a vendor's own host, another type": {[]func(*view){apsis, having(corev1.SecretTypeTLS)}, "HostNotAllowed", "is not of the type Opaque"},
		"a vendor's own host, other keys":   {[]func(*view){apsis, remapped}, "HostNotAllowed", "other keys than the default ones"},
		"a vendor's own host, keys spelt out": {[]func(*view){apsis, func(v *view) {
			v.obj.Spec.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{ClientID: "client-id"}
			provide(v, v.obj.Spec.Provider)
		}}, "", ""},
		"a vendor's own host, another port":     {[]func(*view){withoutConsent, func(v *view) { provide(v, apsisAt("https://api.apsis.one:8443")) }}, "HostNotAllowed", "api.apsis.one:8443 is not the port"},
		"a vendor's own host, odd, by consent":  {[]func(*view){apsis, remapped, having(corev1.SecretTypeTLS), func(v *view) { v.client.allowedHosts = "api.apsis.one" }}, "", ""},
		"another vendor's host":                 {[]func(*view){withoutConsent, func(v *view) { provide(v, apsisAt("https://api.experiture.ai")) }}, "HostNotAllowed", "api.experiture.ai"},
		"a vendor's own host, a consent unread": {[]func(*view){apsis, func(v *view) { v.client.allowedHosts = "*" }}, "", ""},
		"another type, by consent":              {[]func(*view){having(corev1.SecretTypeTLS)}, "", ""},
		"what others consented to is not told":  {[]func(*view){func(v *view) { v.client.allowedHosts = "internal.example.org" }}, "HostNotAllowed", "adds auth.example.com to its annotation"},
		"basic without consent":                 {[]func(*view){basicOf}, "SecretNotAllowed", "kubectl annotate secret -n marketing etl-client --overwrite 'cdpcredentials.io/allow-basic=true'"},
		"basic with another word than true":     {[]func(*view){basicOf, func(v *view) { v.client.allowBasic = "yes" }}, "SecretNotAllowed", "allow-basic"},
		"basic with consent":                    {[]func(*view){basicOf, func(v *view) { v.client.allowBasic = "true" }}, "", ""},
		"basic of a token of the cluster":       {[]func(*view){basicOf, func(v *view) { v.client.allowBasic = "true" }, having(corev1.SecretTypeServiceAccountToken)}, "SecretNotAllowed", "a credential of the cluster itself"},
		"managed, without consent":              {[]func(*view){withoutConsent, managed([]string{"client-id", "client-secret"}, nil)}, "SecretNotAllowed", "is the target of a CDPCredential, or was"},
		"managed, by the administrator alone":   {[]func(*view){withoutConsent, managed([]string{"client-id", "client-secret"}, nil), func(v *view) { v.allowed = hosts("auth.example.com") }}, "SecretNotAllowed", "is the target"},
		"managed, by consent to another host":   {[]func(*view){managed([]string{"client-id", "client-secret"}, nil), func(v *view) { v.client.allowedHosts = "x.example.org"; v.allowed = hosts("auth.example.com") }}, "HostNotAllowed", "is the target"},
		"managed, by consent, default data":     {[]func(*view){managed([]string{"client-id", "client-secret"}, nil)}, "", ""},
		"managed, by consent, a template's key": {[]func(*view){managed([]string{"client-id"}, []string{"client-secret"})}, "SecretNotAllowed", "its key client-secret is not one"},
		"managed, by consent, a foreign key":    {[]func(*view){managed([]string{"client-id"}, nil)}, "SecretNotAllowed", "its key client-secret is not one"},
		"managed, by consent, no record":        {[]func(*view){func(v *view) { v.client.managed = true }}, "SecretNotAllowed", "its key client-id is not one"},
		"managed, for basic":                    {[]func(*view){basicOf, managed([]string{"token-id", "token-secret"}, nil), func(v *view) { v.client.allowBasic = "true" }}, "SecretNotAllowed", "is the target"},
		"managed, by consent, its CA named": {[]func(*view){managed([]string{"client-id", "client-secret"}, nil), func(v *view) {
			v.obj.Spec.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{CACertificate: "ca.pem"}
		}}, "SecretNotAllowed", "remove spec.clientSecretRef.keys.caCertificate"},
		"basic with consent, a CA without": {[]func(*view){basicOf, withBundle, verified, func(v *view) { v.client.allowBasic = "true" }}, "CANotAllowed", "cdpcredentials.io/allowed-ca=" + sum},
		"basic with consent to both":       {[]func(*view){basicOf, withBundle, verified, func(v *view) { v.client.allowBasic, v.client.allowedCA = "true", sum }}, "", ""},
		"basic, a CA for nobody":           {[]func(*view){basicOf, withBundle, func(v *view) { v.client.allowBasic = "true" }}, "", ""},
		"a CA without consent":             {[]func(*view){withBundle}, "CANotAllowed", "cdpcredentials.io/allowed-ca=" + sum},
		"a CA, any allowed":                {[]func(*view){withBundle, func(v *view) { v.client.allowedCA = "*" }}, "", ""},
		"a CA, by its sum":                 {[]func(*view){withBundle, func(v *view) { v.client.allowedCA = "sha256:" + strings.Repeat("0", 64) + ", " + strings.ToUpper(sum) }}, "", ""},
		"two CAs, one allowed": {[]func(*view){func(v *view) {
			v.obj.Spec.TLS = &v1alpha1.TLS{CABundle: append(bundle, other...)}
			v.client.allowedCA = sum
		}}, "CANotAllowed", "etl-client"},
		"a CA, a consent that cannot be read": {[]func(*view){withBundle, func(v *view) { v.client.allowedCA = sum + ",x" }}, "CANotAllowed", "cannot be read"},
		"a CA at a vendor's own host":         {[]func(*view){apsis, withBundle, func(v *view) { v.client.allowedCA = "*" }}, "CANotAllowed", "no private CA may stand for the vendor's own host api.apsis.one"},
		"a CA at a vendor's host, by oauth2": {[]func(*view){withBundle, func(v *view) {
			v.client.allowedCA, v.client.allowedHosts = "*", "api.apsis.one"
			provide(v, v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://api.apsis.one/t"}})
		}}, "CANotAllowed", "remove spec.tls.caBundle"},
		"the Secret's own CA, no PEM":             {[]func(*view){having(corev1.SecretTypeOpaque, "ca.crt")}, "SecretKeyInvalid", "key ca.crt"},
		"its issuer's CA, which is none of ours":  {[]func(*view){having(corev1.SecretTypeTLS, "ca.crt")}, "", ""},
		"another key of a CA, which is not there": {[]func(*view){having(corev1.SecretTypeTLS), func(v *view) { v.obj.Spec.ClientSecretRef.Keys = &v1alpha1.ClientSecretKeys{CACertificate: "ca.pem"} }}, "SecretKeyMissing", "ca.pem"},
		"its own CA, at a vendor's own host":      {[]func(*view){apsis, having(corev1.SecretTypeOpaque, "ca.crt")}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := steady()
			for _, change := range tc.given {
				change(v)
			}
			f := clientConsent(v)
			if v.client.secret != nil {
				f = liveConsent(v)
			}
			got, message := "", ""
			if f != nil {
				got, message = f.reason, f.message
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

// TestRoots: which CA stands for an endpoint.
func TestRoots(t *testing.T) {
	t.Parallel()
	endpoint := func(v *view) string { return string(v.roots(v.intent.endpoint)) }
	v := steady()
	if got := endpoint(v); got != "" {
		t.Errorf("nothing said: %q", got)
	}
	having(corev1.SecretTypeOpaque, "ca.crt", "ca.pem")(v)
	if got := endpoint(v); got != "value" {
		t.Errorf("the Secret's own: %q", got)
	}
	v.obj.Spec.TLS = &v1alpha1.TLS{CABundle: []byte("bundle")}
	if got := endpoint(v); got != "bundle\nvalue" {
		t.Errorf("both: %q", got)
	}
	having(corev1.SecretTypeTLS, "ca.crt")(v)
	if got := endpoint(v); got != "bundle" {
		t.Errorf("an issuer's CA is none of ours: %q", got)
	}
	having(corev1.SecretTypeOpaque, "ca.crt")(v)
	managed([]string{"client-id", "client-secret"}, []string{"ca.crt"})(v)
	if got := endpoint(v); got != "bundle" {
		t.Errorf("one that a template made: %q", got)
	}
	provide(v, v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}})
	if got := endpoint(v); got != "" {
		t.Errorf("a vendor's own host: %q", got)
	}
}
