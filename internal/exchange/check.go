package exchange

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Check says, without sending anything, whether the request could be sent: an *Error of kind InvalidKey, InvalidRequest or Unsupported
// if not. Private keys are not looked at: that may take a while, and is done by the exchange.
func (r Request) Check() error {
	if _, ok := providers[r.Provider]; !ok {
		return &Error{Kind: Unsupported, Detail: "this version does not serve the provider"}
	}
	return r.checkWire()
}

func (r Request) checkWire() error {
	if err := r.Client.checkLengths(); err != nil {
		return err
	}
	if r.Provider != Basic {
		if err := checkURL(r.URL); err != nil {
			return err
		}
	}
	switch r.Provider {
	case Algonomy:
		if err := checkHeaderValues(map[string]Secret{"tenantHash": r.Client.TenantHash, "oauthKeySecret": r.Client.OAuthKeySecret}); err != nil {
			return err
		}
		return checkAPIHeader("tenantHash", r.Client.TenantHash)
	case AdobeServerToServer, AdobeServiceAccount:
		return checkAPIHeader("clientID", r.Client.ID)
	case Basic:
		if err := checkHeaderValues(map[string]Secret{"tokenID": r.Client.TokenID, "tokenSecret": r.Client.TokenSecret}); err != nil {
			return err
		}
		if len(basicCredentials(r.Client.TokenID, r.Client.TokenSecret)) > MaxSecret {
			return invalidKey("tokenSecret", "makes credentials of more than 16 KiB, together with the token ID: use shorter ones")
		}
		return checkUserID("tokenID", r.Client.TokenID)
	case OAuth2:
		if r.AuthMethod == ClientSecretBasicRaw {
			if err := checkUserID("clientID", r.Client.ID); err != nil {
				return err
			}
		}
		return r.checkExtras()
	}
	return nil
}

func (c Client) checkLengths() error {
	for _, value := range []struct {
		field string
		of    Secret
	}{
		{"clientID", c.ID}, {"clientSecret", c.Secret}, {"privateKey", c.PrivateKey}, {"privateKeyPassphrase", c.Passphrase}, {"keyID", c.KeyID},
		{"tenantHash", c.TenantHash}, {"oauthKeySecret", c.OAuthKeySecret}, {"tokenID", c.TokenID}, {"tokenSecret", c.TokenSecret},
	} {
		if len(value.of) > MaxSecret {
			return invalidKey(value.field, "is longer than 16 KiB")
		}
	}
	return nil
}

// checkURL repeats what the API server refused, since this is the last place before a secret leaves.
func checkURL(address string) *Error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return invalidRequest("url", "must be an https address with a host and without user info or fragment")
	}
	return nil
}

// checkUserID refuses a colon, by which RFC 7617 section 2 ends the user-id.
func checkUserID(field string, id Secret) error {
	if strings.Contains(string(id), ":") {
		return invalidKey(field, "must not contain a colon, since HTTP Basic authentication ends it there")
	}
	return nil
}

// checkAPIHeader is for what APIHeaders has beside the token. Templates count on it: of visible ASCII JSON is at most twice as long.
func checkAPIHeader(field string, value Secret) error {
	if !headerSafe(string(value)) {
		return invalidKey(field, "must be of visible ASCII characters, since calls of the API have it in a header")
	}
	return nil
}

func checkHeaderValues(values map[string]Secret) error {
	for field, value := range values {
		if !headerValue(string(value)) {
			return invalidKey(field, "must not contain a line break or another control character")
		}
	}
	return nil
}

// ownParameters are those that only the operator sets: another value would be another client, another grant, or a second statement of
// something that has a field of its own. Servers differ on whether case matters.
var ownParameters = []string{"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "scope", "audience", "resource"}

// ownHeaders are those that only the operator and net/http set, and those in which servers and proxies believe who asks for what:
// credentials, the framing of the body, the hop-by-hop headers of RFC 9110 section 7.6.1, and what proxies add. Accept-Encoding would turn
// off decompression. ownHeaderFamilies are the beginnings of more.
var (
	ownHeaders = []string{
		"accept-encoding", "authorization", "connection", "cookie", "expect", "forwarded", "host", "keep-alive", "te", "trailer", "transfer-encoding",
		"upgrade", "via", "x-http-method-override", "x-real-ip",
	}
	ownHeaderFamilies = []string{"content-", "proxy-", "x-forwarded-", "x-original-", "x-remote-", "x-rewrite-"}
)

// plainHeader is how a server may read a header's name: without case, and behind CGI and its like with - and _ alike.
func plainHeader(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// isOwnHeader reports whether a header, of which this is the plain name, is not the user's to set.
func isOwnHeader(plain string) bool {
	return slices.Contains(ownHeaders, plain) ||
		slices.ContainsFunc(ownHeaderFamilies, func(family string) bool { return strings.HasPrefix(plain, family) })
}

// checkExtras looks at what the user has oauth2 send beside its own.
func (r Request) checkExtras() error {
	for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
		switch {
		case name == "":
			return invalidRequest("parameters", "must have a name")
		case slices.Contains(ownParameters, strings.ToLower(name)):
			return invalidRequest("parameters."+name, "is set by the operator or by a field of its own")
		}
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		plain := plainHeader(name)
		switch {
		case !isToken(name):
			return invalidRequest("headers", "must have names that HTTP allows")
		case isOwnHeader(plain):
			return invalidRequest("headers."+name, "is set by the operator, or tells servers who asks: it cannot be set")
		case seen[plain]:
			return invalidRequest("headers."+name, "is there twice: neither case nor _ for - makes another header")
		case !headerValue(r.Headers[name]):
			return invalidRequest("headers."+name, "must not contain a line break or another control character")
		}
		seen[plain] = true
	}
	return nil
}

// isToken says whether name is an RFC 9110 section 5.6.2 token.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// headerValue says whether value can be that of a header (RFC 9110 section 5.5).
func headerValue(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
