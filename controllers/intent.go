package controllers

import (
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// An intent is what an object asks for, with every default filled in but without the values of the client Secret.
type intent struct {
	// provider is the name of the member of spec.provider.
	provider string
	request  exchange.Request
	// endpoint is where the exchange goes. Zero for basic.
	endpoint egress.Endpoint
	// addressField is the field that says so.
	addressField string
	// vendor are the vendor's own hosts, which need no consent.
	vendor egress.Hosts
	values []value
	// caKey is the key of the client Secret that is named for a private CA. Empty: none is.
	caKey string
	// defaultKeys says that spec.clientSecretRef.keys names no other keys than the default ones.
	defaultKeys bool
	// asked is a fingerprint of all this, askedRest the same without Algonomy's resources. Empty for others.
	asked, askedRest string
}

// A value is one value of the client Secret.
type value struct {
	// field is its name in spec.clientSecretRef.keys, key the Secret's.
	field, key string
	optional   bool
	// set puts it into the request's client.
	set func(*exchange.Client, exchange.Secret)
}

// The vendors' own hosts.
var (
	adobeHosts      = mustHosts("ims-na1.adobelogin.com,ims-na1-stg1.adobelogin.com,platform.adobe.io")
	apsisHosts      = mustHosts("api.apsis.one,api-apac.apsis.one")
	experitureHosts = mustHosts("api.experiture.ai")
	// builtInHosts are all of them: no private CA may stand for one, whatever the provider.
	builtInHosts = adobeHosts.With(apsisHosts).With(experitureHosts)
)

func mustHosts(list string) egress.Hosts {
	hosts, err := egress.ParseHosts(list)
	if err != nil {
		panic(err)
	}
	return hosts
}

// intentOf reads the spec. An error is the user's to mend in the spec.
func intentOf(spec *v1alpha1.CDPCredentialSpec) (intent, error) {
	in, address := requestOf(&spec.Provider)
	if in.provider == "" {
		return in, fmt.Errorf("spec.provider has no member that this version of the operator knows: upgrade it, or choose another provider")
	}
	keys := v1alpha1.ClientSecretKeys{}
	if spec.ClientSecretRef.Keys != nil {
		keys = *spec.ClientSecretRef.Keys
	}
	in.values = valuesOf(in.request, keys)
	in.defaultKeys = usesDefaultKeys(in.values, valuesOf(in.request, v1alpha1.ClientSecretKeys{}))
	in.caKey = string(keys.CACertificate)
	in.asked = in.fingerprint(in.request, spec.ClientSecretRef.Name)
	if in.request.Provider == exchange.Algonomy {
		in.askedRest = in.fingerprint(in.request.WithoutResources(), spec.ClientSecretRef.Name)
	}
	if in.provider == "basic" {
		return in, nil
	}
	var err error
	if in.endpoint, err = egress.EndpointOf(address); err != nil {
		return in, fmt.Errorf("spec.provider.%s: %w", in.provider, err)
	}
	return in, nil
}

func requestOf(p *v1alpha1.Provider) (intent, string) {
	switch {
	case p.Experiture != nil:
		return intent{provider: "experiture", addressField: "spec.provider.experiture.tokenURL", vendor: experitureHosts, request: exchange.Request{
			Provider: exchange.Experiture, URL: string(p.Experiture.TokenURL), Scopes: texts(p.Experiture.Scopes),
		}}, string(p.Experiture.TokenURL)
	case p.Adobe != nil:
		return adobeIntent(p.Adobe)
	case p.Apsis != nil:
		url := urlOr(p.Apsis.URL, "https://api.apsis.one")
		return intent{provider: "apsis", addressField: "spec.provider.apsis.url", vendor: apsisHosts, request: exchange.Request{Provider: exchange.Apsis, URL: url}}, url
	case p.Algonomy != nil:
		return intent{provider: "algonomy", addressField: "spec.provider.algonomy.url", request: exchange.Request{
			Provider: exchange.Algonomy, URL: string(p.Algonomy.URL), API: string(p.Algonomy.API), Resources: texts(p.Algonomy.Resources),
			Validity: durationOr(p.Algonomy.Validity, 15*time.Minute),
		}}, string(p.Algonomy.URL)
	case p.Auth0 != nil:
		url := "https://" + p.Auth0.Domain
		return intent{provider: "auth0", addressField: "spec.provider.auth0.domain", request: exchange.Request{Provider: exchange.Auth0, URL: url, Audience: p.Auth0.Audience}}, url
	case p.OAuth2 != nil:
		return oauth2Intent(p.OAuth2)
	case p.Basic != nil:
		return intent{provider: "basic", request: exchange.Request{Provider: exchange.Basic}}, ""
	}
	return intent{}, ""
}

func adobeIntent(p *v1alpha1.Adobe) (intent, string) {
	url := urlOr(p.IMSURL, "https://ims-na1.adobelogin.com")
	in := intent{provider: "adobe", addressField: "spec.provider.adobe.imsURL", vendor: adobeHosts, request: exchange.Request{
		Provider: exchange.AdobeServerToServer, URL: url, OrganizationID: p.OrganizationID, SandboxName: p.SandboxName, Scopes: texts(p.Scopes),
	}}
	if account := p.ServiceAccount; account != nil {
		in.request.Provider = exchange.AdobeServiceAccount
		in.request.TechnicalAccountID = account.TechnicalAccountID
		in.request.Metascopes = texts(account.Metascopes)
	}
	return in, url
}

func oauth2Intent(p *v1alpha1.OAuth2) (intent, string) {
	in := intent{provider: "oauth2", addressField: "spec.provider.oauth2.tokenURL", request: exchange.Request{
		Provider: exchange.OAuth2, URL: string(p.TokenURL), AuthMethod: exchange.AuthMethod(p.AuthMethod), BodyFormat: exchange.BodyFormat(p.RequestFormat),
		Scopes: texts(p.Scopes), ScopeSeparator: p.ScopeSeparator, Audience: p.Audience, AssertionAudience: p.AssertionAudience, Resources: p.Resources,
		Parameters: textMap(p.Parameters), Headers: textMap(p.Headers), DefaultLifetime: durationOr(p.DefaultLifetime, 0),
	}}
	if r := p.Response; r != nil {
		in.request.TokenField, in.request.ExpiresInField, in.request.ExpiresInUnit = r.TokenField, r.ExpiresInField, exchange.Unit(r.ExpiresInUnit)
	}
	return in, string(p.TokenURL)
}

// valuesOf lists what the request needs of the client Secret (design.md section 2).
func valuesOf(req exchange.Request, keys v1alpha1.ClientSecretKeys) []value {
	id := value{"clientID", keyOr(keys.ClientID, "client-id"), false, func(c *exchange.Client, s exchange.Secret) { c.ID = s }}
	secret := value{"clientSecret", keyOr(keys.ClientSecret, "client-secret"), false, func(c *exchange.Client, s exchange.Secret) { c.Secret = s }}
	assertion := []value{
		{"privateKey", keyOr(keys.PrivateKey, "private-key"), false, func(c *exchange.Client, s exchange.Secret) { c.PrivateKey = s }},
		{"privateKeyPassphrase", keyOr(keys.PrivateKeyPassphrase, "private-key-passphrase"), true, func(c *exchange.Client, s exchange.Secret) { c.Passphrase = s }},
		{"keyID", keyOr(keys.KeyID, "key-id"), true, func(c *exchange.Client, s exchange.Secret) { c.KeyID = s }},
	}
	switch {
	case req.Provider == exchange.Basic:
		return []value{
			{"tokenID", keyOr(keys.TokenID, "token-id"), false, func(c *exchange.Client, s exchange.Secret) { c.TokenID = s }},
			{"tokenSecret", keyOr(keys.TokenSecret, "token-secret"), false, func(c *exchange.Client, s exchange.Secret) { c.TokenSecret = s }},
		}
	case req.Provider == exchange.Algonomy:
		return []value{
			{"tenantHash", keyOr(keys.TenantHash, "tenant-hash"), false, func(c *exchange.Client, s exchange.Secret) { c.TenantHash = s }},
			{"oauthKeySecret", keyOr(keys.OAuthKeySecret, "oauth-key-secret"), true, func(c *exchange.Client, s exchange.Secret) { c.OAuthKeySecret = s }},
		}
	case req.Provider == exchange.AdobeServiceAccount:
		return append([]value{id, secret}, assertion...)
	case req.AuthMethod == exchange.PrivateKeyJWT:
		return append([]value{id}, assertion...)
	}
	return []value{id, secret}
}

// usesDefaultKeys reports whether every value is under its default key.
func usesDefaultKeys(values, defaults []value) bool {
	for i := range values {
		if values[i].key != defaults[i].key {
			return false
		}
	}
	return true
}

func (in *intent) fingerprint(req exchange.Request, secretName string) string {
	keys := []byte{}
	for _, v := range in.values {
		keys = append(keys, v.field+"="+v.key+"\n"...)
	}
	if in.caKey != "" {
		keys = append(keys, "caCertificate="+in.caKey+"\n"...)
	}
	return fingerprint(nil, []byte(req.Fingerprint(nil)), []byte(secretName), keys)
}

// withClient fills in the values of the client Secret.
func (in *intent) withClient(secret *corev1.Secret) (exchange.Request, error) {
	req := in.request
	req.Namespace, req.Issue = secret.Namespace, issueOf(secret)
	for _, v := range in.values {
		text := trimNewline(string(secret.Data[v.key]))
		if text == "" && !v.optional {
			return req, &missingKeyError{secret: secret.Name, key: v.key, field: v.field}
		}
		v.set(&req.Client, exchange.Secret(text))
	}
	return req, nil
}

// issueOf is which token it is that a client Secret holds which is the target of another object. Were only its values compared, an object whose client
// Secret is changed would tell, by whether those that take its target are renewed, if the two Secrets hold the same. Empty: the operator did not write it.
func issueOf(secret *corev1.Secret) string {
	if rec := anyRecord(secret.Annotations[v1alpha1.StateAnnotation]); rec != nil {
		return string(rec.Salt)
	}
	return ""
}

// keyOf names the client Secret's key for a field of exchange.Error.
func (in *intent) keyOf(field string) string {
	for _, v := range in.values {
		if v.field == field {
			return v.key
		}
	}
	return field
}

// A missingKeyError says that the client Secret has no value for a key.
type missingKeyError struct{ secret, key, field string }

func (e *missingKeyError) Error() string {
	return fmt.Sprintf("Secret %s has no value under the key %s: add it, or name another key in spec.clientSecretRef.keys.%s", e.secret, e.key, e.field)
}

// trimNewline takes one trailing newline away: files made with echo have one.
func trimNewline(s string) string {
	if n := len(s); n > 0 && s[n-1] == '\n' {
		s = s[:n-1]
		if n := len(s); n > 0 && s[n-1] == '\r' {
			s = s[:n-1]
		}
	}
	return s
}

// shapeOf is a fingerprint of what spec.target says about the Secret's content.
func shapeOf(target *v1alpha1.Target) string {
	// Marshalling strings and maps of strings cannot fail.
	text, _ := json.Marshal([]any{target.Labels, target.Annotations, target.Data, retains(target)})
	return fingerprint(nil, text)
}

// templatesHash is a fingerprint of the templates of spec.target.data. Empty: there are none.
func templatesHash(target *v1alpha1.Target) string {
	if len(target.Data) == 0 {
		return ""
	}
	text, _ := json.Marshal(target.Data) // cannot fail: maps of strings, in sorted order
	return fingerprint(nil, text)
}

func retains(target *v1alpha1.Target) bool {
	return target.DeletionPolicy == v1alpha1.DeletionPolicyRetain
}

func texts[T ~string](list []T) []string {
	var out []string
	for _, item := range list {
		out = append(out, string(item))
	}
	return out
}

func textMap[T ~string](m map[string]T) map[string]string {
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for key, item := range m {
		out[key] = string(item)
	}
	return out
}

func urlOr(url *v1alpha1.HTTPSURL, fallback string) string {
	if url == nil || *url == "" {
		return fallback
	}
	return string(*url)
}

func keyOr(key v1alpha1.SecretKey, fallback string) string {
	if key == "" {
		return fallback
	}
	return string(key)
}

func durationOr(d *metav1.Duration, fallback time.Duration) time.Duration {
	if d == nil || d.Duration <= 0 {
		return fallback
	}
	return d.Duration
}
