package exchange

import (
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Provider names one way to get a token.
type Provider string

// The providers. Adobe has two: its flows differ in everything but the host.
const (
	AdobeServerToServer Provider = "adobe"
	AdobeServiceAccount Provider = "adobe-service-account"
	Algonomy            Provider = "algonomy"
	Apsis               Provider = "apsis"
	Auth0               Provider = "auth0"
	Basic               Provider = "basic"
	Experiture          Provider = "experiture"
	OAuth2              Provider = "oauth2"
)

// AuthMethod is how a client authenticates at an OAuth 2.0 token endpoint.
type AuthMethod string

// The methods of RFC 6749 section 2.3.1 and RFC 7523 section 2.2. BasicRaw is Basic without the form-encoding of id and secret that
// the RFC asks for: many servers accept only one of the two.
const (
	ClientSecretBasic    AuthMethod = "ClientSecretBasic"
	ClientSecretBasicRaw AuthMethod = "ClientSecretBasicRaw"
	ClientSecretPost     AuthMethod = "ClientSecretPost"
	PrivateKeyJWT        AuthMethod = "PrivateKeyJWT"
)

// BodyFormat is how the body of a request is encoded.
type BodyFormat string

// RFC 6749 knows only Form; several vendors take JSON.
const (
	Form BodyFormat = "Form"
	JSON BodyFormat = "JSON"
)

// Unit is the unit of a lifetime in an answer.
type Unit string

// The units. An unset Unit means seconds.
const (
	InSeconds      Unit = "Seconds"
	InMilliseconds Unit = "Milliseconds"
	InMinutes      Unit = "Minutes"
)

// Client is what the client Secret holds. Which values a provider reads is said at its file; the others stay empty.
type Client struct {
	ID, Secret                    Secret
	PrivateKey, Passphrase, KeyID Secret
	TenantHash, OAuthKeySecret    Secret
	TokenID, TokenSecret          Secret
}

// Request is all that one exchange needs: equal requests would be answered alike. A field that the provider does not know is
// ignored. Every default has been filled in by the caller, but for those named here.
type Request struct {
	Provider Provider
	// URL is the endpoint's address as the user gave it: the token URL of experiture and oauth2, https://DOMAIN of auth0, the base
	// address of adobe, apsis and algonomy, to which the provider adds its path. Unused by basic.
	URL    string
	Client Client
	// Namespace is whose request it is: private keys are opened in turns. It is no part of the fingerprint.
	Namespace string
	// Issue tells one writing of a client Secret that the operator itself wrote from the next. It is not sent: with it what was read from such a Secret
	// counts as other values after each, whether or not it is.
	Issue string

	// Scopes to ask for, in the user's order. Empty: the scope parameter is not sent.
	Scopes []string
	// ScopeSeparator joins them (oauth2). Empty: a space.
	ScopeSeparator string
	// Audience is sent by auth0 and oauth2. Empty: not sent.
	Audience string
	// AssertionAudience is the aud claim of PrivateKeyJWT's assertion. Empty: URL (RFC 7523 section 3).
	AssertionAudience string
	// Resources are RFC 8707 resource indicators (oauth2), or the resources of an Algonomy token.
	Resources []string

	// OrganizationID and SandboxName are sent to Adobe's API; OrganizationID also is the issuer of a service account's assertion.
	OrganizationID, SandboxName string
	// TechnicalAccountID and Metascopes are those of an Adobe service account.
	TechnicalAccountID string
	Metascopes         []string

	// API is Algonomy's: Profile or GDPR.
	API string
	// Validity is the lifetime asked for at Algonomy, in whole minutes.
	Validity time.Duration

	// AuthMethod and BodyFormat are those of oauth2. Empty: ClientSecretBasic, Form.
	AuthMethod AuthMethod
	BodyFormat BodyFormat
	// Parameters and Headers are sent by oauth2 beside its own.
	Parameters, Headers map[string]string
	// TokenField and ExpiresInField are where oauth2 finds the token and its lifetime in the answer; a dot descends into an object.
	// Empty: access_token and expires_in.
	TokenField, ExpiresInField string
	// ExpiresInUnit is the unit of the lifetime in oauth2's answer. Empty: seconds.
	ExpiresInUnit Unit
	// DefaultLifetime is that of an oauth2 token of which nobody says it. Zero: such a token is refused.
	DefaultLifetime time.Duration

	// ClockOffset is the endpoint's clock minus ours, as far as it is known: the times in an assertion are on the endpoint's clock. It is
	// about how a token is got and not which, and so is no part of the fingerprint.
	ClockOffset time.Duration
	// Update is a held Algonomy token whose resources are to become Resources, instead of a new token. Empty: a new token.
	Update Secret
}

// Format implements fmt.Formatter: a request shows where it would go and nothing else.
func (r Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.shown()) }

// MarshalJSON implements json.Marshaler, like Format.
func (r Request) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer, like Format.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.shown()) }

func (r Request) shown() string {
	return "exchange.Request{" + string(r.Provider) + " " + redacted + "}"
}

// Format implements fmt.Formatter.
func (c Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalJSON implements json.Marshaler.
func (c Client) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue implements slog.LogValuer.
func (c Client) LogValue() slog.Value { return slog.StringValue(redacted) }
