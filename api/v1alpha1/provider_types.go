// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// HTTPSURL is an https URL without user info and fragment.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=2048
// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() == 'https' && url(self).getHostname().size() > 0",message="must be an https URL with a host, for example https://auth.example.com/oauth/token"
// +kubebuilder:validation:XValidation:rule="!self.matches('^[^/]*//[^/?#]*@') && !self.contains('#')",message="must have no user info (user:password@) and no fragment (#...): credentials belong in the client Secret"
// +kubebuilder:validation:XValidation:rule=`!self.matches(r'^[^/]*//([^/?#:]*[.])?([0-9]+|0[xX][0-9a-fA-F]*)[.]?(:[0-9]*)?([/?#]|$)') || self.matches(r'^[^/]*//((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(:[0-9]*)?([/?#]|$)')`,message="the host ends in a number but is no IP address in its usual form: write four decimal numbers, for example https://203.0.113.7/token"
type HTTPSURL string

// Scope is one scope-token of RFC 6749 section 3.3.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=256
// +kubebuilder:validation:XValidation:rule=`self.matches(r'^[\x21\x23-\x5B\x5D-\x7E]+$')`,message="must be one scope without spaces or quotes: write each scope as an item of its own, for example [read, write]"
type Scope string

// Provider is the system that hands out tokens. Exactly one member must be set.
// +kubebuilder:validation:XValidation:rule="[has(self.experiture), has(self.adobe), has(self.apsis), has(self.algonomy), has(self.auth0), has(self.oauth2), has(self.basic)].filter(set, set).size() == 1",message="exactly one provider must be set: experiture, adobe, apsis, algonomy, auth0, oauth2 or basic; one without settings is written with braces, for example apsis: {}"
type Provider struct {
	// experiture gets a token from Experiture (OAuth 2.0 client credentials). The client Secret holds client-id and client-secret.
	// +optional
	Experiture *Experiture `json:"experiture,omitempty"`

	// adobe gets a token from Adobe IMS for Adobe Experience Platform. The client Secret holds client-id and client-secret, and for
	// serviceAccount private-key as well (and private-key-passphrase, if the key has one).
	// +optional
	Adobe *Adobe `json:"adobe,omitempty"`

	// apsis gets a token from APSIS One. The client Secret holds client-id and client-secret.
	// +optional
	Apsis *Apsis `json:"apsis,omitempty"`

	// algonomy gets a token from Algonomy's Real-time CDP. The client Secret holds tenant-hash, and oauth-key-secret if OAuth is enabled for
	// the tenant.
	// +optional
	Algonomy *Algonomy `json:"algonomy,omitempty"`

	// auth0 gets a token from an Auth0-style endpoint. The client Secret holds client-id and client-secret.
	// +optional
	Auth0 *Auth0 `json:"auth0,omitempty"`

	// oauth2 gets a token from any other OAuth 2.0 client-credentials endpoint (RFC 6749 section 4.4). The client Secret holds client-id and
	// client-secret; for PrivateKeyJWT client-id and private-key (and private-key-passphrase and key-id, if there are any).
	// +optional
	OAuth2 *OAuth2 `json:"oauth2,omitempty"`

	// basic exchanges nothing: it writes a legacy token id and token secret as HTTP Basic credentials. The client Secret holds token-id and
	// token-secret, and the annotation cdpcredentials.io/allow-basic: "true".
	// +optional
	Basic *Basic `json:"basic,omitempty"`
}

// Experiture is an OAuth client created in the Experiture console. The client Secret holds client-id and client-secret.
type Experiture struct {
	// tokenURL is the token endpoint that the console shows after the client was created. It differs by account.
	// +required
	TokenURL HTTPSURL `json:"tokenURL"`

	// scopes to request, for example cdp:records:write. Empty means what the endpoint grants by default.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Scopes []Scope `json:"scopes,omitempty"`
}

// Adobe is a project of the Adobe Developer Console. Exactly one of scopes (OAuth server-to-server) and serviceAccount (JWT, discontinued by
// Adobe) must be set. The client Secret holds client-id and client-secret, and private-key for serviceAccount.
// +kubebuilder:validation:XValidation:rule="has(self.scopes) != has(self.serviceAccount)",message="exactly one of scopes (OAuth server-to-server) and serviceAccount (legacy JWT) must be set"
type Adobe struct {
	// organizationID is the IMS organization, for example ABC@AdobeOrg. API calls carry it in x-gw-ims-org-id.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[\x21-\x7E]+$`
	OrganizationID string `json:"organizationID"`

	// imsURL is the address of Adobe IMS. Empty means https://ims-na1.adobelogin.com.
	// +optional
	IMSURL *HTTPSURL `json:"imsURL,omitempty"`

	// sandboxName is the Experience Platform sandbox. API calls carry it in x-sandbox-name. Empty means that the header is left out.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[\x21-\x7E]+$`
	SandboxName string `json:"sandboxName,omitempty"`

	// scopes of an OAuth server-to-server credential, as the Developer Console lists them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Scopes []Scope `json:"scopes,omitempty"`

	// serviceAccount is a service account (JWT) credential. Adobe ended this flow: use scopes with a new credential.
	// +optional
	ServiceAccount *AdobeServiceAccount `json:"serviceAccount,omitempty"`
}

// AdobeServiceAccount is a legacy service account (JWT) credential.
type AdobeServiceAccount struct {
	// technicalAccountID is the subject of the assertion, for example X@techacct.adobe.com.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[\x21-\x7E]+$`
	TechnicalAccountID string `json:"technicalAccountID"`

	// metascopes to request, for example ent_dataservices_sdk.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Metascopes []Scope `json:"metascopes"`
}

// Apsis is an APSIS One API key. The client Secret holds client-id and client-secret.
type Apsis struct {
	// url is the address of the APSIS One API. Empty means https://api.apsis.one; https://api-apac.apsis.one is the one for APAC.
	// +optional
	URL *HTTPSURL `json:"url,omitempty"`
}

// AlgonomyAPI is one of Algonomy's two APIs.
// +kubebuilder:validation:Enum=Profile;GDPR
type AlgonomyAPI string

// Algonomy's APIs.
const (
	AlgonomyProfile AlgonomyAPI = "Profile"
	AlgonomyGDPR    AlgonomyAPI = "GDPR"
)

// Algonomy is a tenant of Algonomy's Real-time CDP. The client Secret holds tenant-hash, and oauth-key-secret if OAuth is enabled for
// the tenant.
type Algonomy struct {
	// url is the address of the tenant's API, as given by Algonomy's support. /secureApi/token/... is appended.
	// +required
	URL HTTPSURL `json:"url"`

	// api is Profile or GDPR.
	// +required
	API AlgonomyAPI `json:"api"`

	// resources that the token gives access to, for example basic or segments. Algonomy requires at least one.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Resources []Scope `json:"resources,omitempty"`

	// validity is the lifetime to request, in whole minutes, for example 300m. Empty means 15m.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]{1,3})?(s|m|h))+$')",message="must be a duration in hours and minutes, for example 300m; a day is 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+([.][0-9]{1,3})?(s|m|h))+$') || duration(self) > duration('0s') && duration(self).getMilliseconds() % 60000 == 0",message="must be whole minutes above zero, for example 300m"
	Validity *metav1.Duration `json:"validity,omitempty"`
}

// Auth0 is an application of an Auth0-style tenant. The client Secret holds client-id and client-secret.
type Auth0 struct {
	// domain is the tenant's host, or host:port. The endpoint is https://DOMAIN/oauth/token.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=260
	// +kubebuilder:validation:XValidation:rule=`self.matches(r'^(\[[0-9a-fA-F:.]+\]|[^\[\]:/?#@%\\\s[:cntrl:]]+)(:[0-9]{1,5})?$')`,message="must be a host or host:port and nothing more, for example auth.example.com"
	// +kubebuilder:validation:XValidation:rule="self.startsWith('[') || !self.matches('(^|[.])([0-9]+|0[xX][0-9a-fA-F]*)[.]?(:[0-9]*)?$') || self.matches('^((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(:[0-9]{1,5})?$')",message="the host ends in a number but is no IP address in its usual form: write four decimal numbers, for example 203.0.113.7"
	Domain string `json:"domain"`

	// audience is the identifier of the API that the token is for. Empty means the tenant's default audience, if it has one.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	Audience string `json:"audience,omitempty"`
}

// AuthMethod is how the client authenticates at the token endpoint.
// +kubebuilder:validation:Enum=ClientSecretBasic;ClientSecretBasicRaw;ClientSecretPost;PrivateKeyJWT
type AuthMethod string

// RequestFormat is how the request's body is encoded.
// +kubebuilder:validation:Enum=Form;JSON
type RequestFormat string

// TimeUnit is the unit of a number in an answer.
// +kubebuilder:validation:Enum=Seconds;Milliseconds;Minutes
type TimeUnit string

// OAuth2 is a client of an OAuth 2.0 token endpoint. The client Secret holds client-id and client-secret, or client-id and private-key for
// PrivateKeyJWT.
// +kubebuilder:validation:XValidation:rule="(has(self.parameters) ? self.parameters.map(k, bytes(k).size() + bytes(self.parameters[k]).size()).sum() : 0) + (has(self.headers) ? self.headers.map(k, bytes(k).size() + bytes(self.headers[k]).size()).sum() : 0) <= 65536",message="parameters and headers may have 64 KiB together"
type OAuth2 struct {
	// tokenURL is the token endpoint.
	// +required
	TokenURL HTTPSURL `json:"tokenURL"`

	// authMethod is how the client authenticates: ClientSecretBasic (the default, HTTP Basic with form-encoded id and secret as RFC 6749
	// section 2.3.1 requires), ClientSecretBasicRaw (HTTP Basic without that encoding, which many servers expect), ClientSecretPost (in
	// the body) or PrivateKeyJWT (RFC 7523 section 2.2, RS256 or ES256 depending on the key).
	// +optional
	AuthMethod AuthMethod `json:"authMethod,omitempty"`

	// requestFormat is the encoding of the body: Form (the default) or JSON.
	// +optional
	RequestFormat RequestFormat `json:"requestFormat,omitempty"`

	// scopes to request. Empty means that no scope parameter is sent.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Scopes []Scope `json:"scopes,omitempty"`

	// scopeSeparator joins the scopes. Empty means a space, as in RFC 6749 section 3.3.
	// +optional
	// +kubebuilder:validation:MaxLength=8
	ScopeSeparator string `json:"scopeSeparator,omitempty"`

	// audience parameter. Empty means that it is not sent.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	Audience string `json:"audience,omitempty"`

	// assertionAudience is the aud claim of PrivateKeyJWT's assertion. Empty means tokenURL (RFC 7523 section 3); some servers want their issuer.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	AssertionAudience string `json:"assertionAudience,omitempty"`

	// resources are resource indicators (RFC 8707), each sent as a resource parameter.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.map(r, bytes(r).size()).sum() <= 16384",message="resources may have 16 KiB together"
	Resources []string `json:"resources,omitempty"`

	// parameters are more body parameters. They cannot replace those of the grant and of the client authentication.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() <= 256)",message="each name may have at most 256 characters"
	Parameters map[string]ParameterValue `json:"parameters,omitempty"`

	// headers are more request headers. They must not contain secrets, and cannot name Authorization, Host, Content-*, Cookie, Forwarded,
	// X-Forwarded-* and others that credentials, framing or proxies depend on.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() <= 256)",message="each name may have at most 256 characters"
	Headers map[string]HeaderValue `json:"headers,omitempty"`

	// response says where the answer has its token and lifetime. Empty means the names of RFC 6749 section 5.1.
	// +optional
	Response *OAuth2Response `json:"response,omitempty"`

	// defaultLifetime is the lifetime of an opaque token if the answer does not state it. Empty means that such a token is refused.
	// +optional
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$')",message="must be a duration in hours, minutes and seconds, for example 1h; a day is 24h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]+([.][0-9]+)?(ns|us|µs|ms|s|m|h))+$') || duration(self) > duration('0s')",message="must be above zero, for example 1h"
	DefaultLifetime *metav1.Duration `json:"defaultLifetime,omitempty"`
}

// ParameterValue is the value of a parameter.
// +kubebuilder:validation:MaxLength=65536
type ParameterValue string

// HeaderValue is the value of an HTTP header (RFC 9110 section 5.5), visible ASCII with inner spaces.
// +kubebuilder:validation:MaxLength=4096
// +kubebuilder:validation:Pattern=`^([\x21-\x7E]([\x20-\x7E]*[\x21-\x7E])?)?$`
type HeaderValue string

// OAuth2Response says where an answer has what we need.
// +kubebuilder:validation:XValidation:rule="(has(self.tokenField) && self.tokenField.size() > 0 ? self.tokenField : 'access_token') != (has(self.expiresInField) && self.expiresInField.size() > 0 ? self.expiresInField : 'expires_in') && !(has(self.tokenField) && self.tokenField.size() > 0 ? self.tokenField : 'access_token').startsWith((has(self.expiresInField) && self.expiresInField.size() > 0 ? self.expiresInField : 'expires_in') + '.') && !(has(self.expiresInField) && self.expiresInField.size() > 0 ? self.expiresInField : 'expires_in').startsWith((has(self.tokenField) && self.tokenField.size() > 0 ? self.tokenField : 'access_token') + '.')",message="tokenField and expiresInField must name different members, none inside the other"
type OAuth2Response struct {
	// tokenField is the member that holds the token; a dot descends into an object. Empty means access_token.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	TokenField string `json:"tokenField,omitempty"`

	// expiresInField is the member that holds the lifetime; a dot descends into an object. Empty means expires_in.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	ExpiresInField string `json:"expiresInField,omitempty"`

	// expiresInUnit is the unit of the lifetime: Seconds (the default), Milliseconds or Minutes. It is never guessed.
	// +optional
	ExpiresInUnit TimeUnit `json:"expiresInUnit,omitempty"`
}

// Basic is a legacy token. The client Secret holds token-id and token-secret.
type Basic struct{}
