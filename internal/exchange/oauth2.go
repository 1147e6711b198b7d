package exchange

import (
	"cmp"
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	xoauth2 "golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// oauth2 is any other endpoint of RFC 6749 section 4.4. It reads ID and Secret of the client, or for PrivateKeyJWT ID, PrivateKey,
// Passphrase and KeyID.
func oauth2(ctx context.Context, a attempt, req Request) (Token, error) {
	req = req.withDefaults()
	conf := clientcredentials.Config{
		TokenURL:       req.URL,
		EndpointParams: req.parameters(),
		AuthStyle:      xoauth2.AuthStyleInParams,
	}
	if len(req.Scopes) > 0 {
		conf.Scopes = []string{strings.Join(req.Scopes, req.ScopeSeparator)}
	}
	headers := http.Header{}
	for name, value := range req.Headers {
		headers.Set(name, value)
	}

	switch req.AuthMethod {
	case ClientSecretBasic:
		conf.ClientID, conf.ClientSecret, conf.AuthStyle = string(req.Client.ID), string(req.Client.Secret), xoauth2.AuthStyleInHeader
	case ClientSecretBasicRaw:
		headers.Set("Authorization", "Basic "+basicCredentials(req.Client.ID, req.Client.Secret))
	case ClientSecretPost:
		conf.ClientID, conf.ClientSecret = string(req.Client.ID), string(req.Client.Secret)
	case PrivateKeyJWT:
		assertion, err := a.clientAssertion(ctx, req)
		if err != nil {
			return Token{}, err
		}
		a.secrets = a.secrets.and(assertion)
		conf.ClientID = string(req.Client.ID)
		conf.EndpointParams.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		conf.EndpointParams.Set("client_assertion", assertion)
	default:
		return Token{}, &Error{Kind: Unsupported, Detail: "this version does not know the authentication method"}
	}

	send := a.form
	if req.BodyFormat == JSON {
		send = a.formAsJSON
	}
	got, err := send(ctx, conf, headers)
	if err != nil {
		return Token{}, err
	}
	return req.reading().token(got)
}

// withDefaults fills in what an empty field of oauth2 means.
func (r Request) withDefaults() Request {
	r.AuthMethod = cmp.Or(r.AuthMethod, ClientSecretBasic)
	r.BodyFormat = cmp.Or(r.BodyFormat, Form)
	r.ScopeSeparator = cmp.Or(r.ScopeSeparator, " ")
	r.TokenField = cmp.Or(r.TokenField, "access_token")
	r.ExpiresInField = cmp.Or(r.ExpiresInField, "expires_in")
	r.ExpiresInUnit = cmp.Or(r.ExpiresInUnit, InSeconds)
	return r
}

// parameters are all but the grant, the scope and the client's authentication.
func (r Request) parameters() url.Values {
	parameters := url.Values{}
	for name, value := range r.Parameters {
		parameters.Set(name, value)
	}
	if r.Audience != "" {
		parameters.Set("audience", r.Audience)
	}
	if len(r.Resources) > 0 {
		parameters["resource"] = r.Resources
	}
	return parameters
}

func (r Request) reading() reading {
	read := rfc6749(r)
	read.tokenField = r.TokenField
	read.expiresInField = r.ExpiresInField
	switch r.ExpiresInUnit {
	case InMilliseconds:
		read.unit = token.Milliseconds
	case InMinutes:
		read.unit = token.Minutes
	}
	read.scopeSeparators += r.ScopeSeparator
	read.fallback = r.DefaultLifetime
	return read
}

// formAsJSON sends as JSON what form would send as a form. resource may be repeated there and so is a list here.
func (a attempt) formAsJSON(ctx context.Context, conf clientcredentials.Config, extra http.Header) (answer, error) {
	body := map[string]any{"grant_type": "client_credentials"}
	for name := range conf.EndpointParams {
		body[name] = conf.EndpointParams.Get(name)
	}
	if resources := conf.EndpointParams["resource"]; len(resources) > 0 {
		body["resource"] = resources
	}
	if len(conf.Scopes) > 0 {
		body["scope"] = strings.Join(conf.Scopes, " ")
	}
	id, secret := conf.ClientID, conf.ClientSecret
	if conf.AuthStyle == xoauth2.AuthStyleInHeader {
		// RFC 6749 section 2.3.1 has both form-encoded.
		extra.Set("Authorization", "Basic "+basicCredentials(Secret(url.QueryEscape(id)), Secret(url.QueryEscape(secret))))
		id, secret = "", ""
	}
	if id != "" {
		body["client_id"] = id
	}
	if secret != "" {
		body["client_secret"] = secret
	}
	return a.json(ctx, conf.TokenURL, body, extra)
}

// basicCredentials are those of RFC 7617 section 2.
func basicCredentials(id, secret Secret) string {
	return base64.StdEncoding.EncodeToString([]byte(string(id) + ":" + string(secret)))
}
