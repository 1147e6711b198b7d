package exchange

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The limits of what is shown of an answer.
const (
	maxCode      = 64
	maxScope     = 128
	maxScopes    = 64
	maxTokenType = 32
)

// maxEncoded is up to what length a secret is also looked for in other encodings: an endpoint may choose its token, and with it how long
// we look.
const maxEncoded = 4 << 10

// secrets are the values that an answer may echo and nobody may see: whoever may name an endpoint could otherwise read a Secret in a
// condition.
type secrets []string

// shared is how many characters in a row a shown text and a secret may not have in common.
const shared = 8

func (r Request) secrets() secrets {
	c := r.Client
	var s secrets
	for _, secret := range []Secret{c.Secret, c.PrivateKey, c.Passphrase, c.TenantHash, c.OAuthKeySecret, c.TokenSecret, r.Update} {
		s = s.and(string(secret))
	}
	if c.Secret != "" {
		// The two ways in which HTTP Basic authentication sends them.
		encoded := basicCredentials(Secret(url.QueryEscape(string(c.ID))), Secret(url.QueryEscape(string(c.Secret))))
		s = append(s, basicCredentials(c.ID, c.Secret), encoded)
	}
	return s
}

// and adds a secret in the ways in which it may be written. It leaves s alone.
func (s secrets) and(secret string) secrets {
	if secret == "" {
		return s
	}
	s = append(slices.Clip(s), secret)
	if len(secret) > maxEncoded {
		return s
	}
	return append(s, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)))
}

// echoed says whether text could give away part of a secret: a short one as a whole, or any eight characters in a row of a longer one.
func (s secrets) echoed(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(s, func(secret string) bool {
		secret = strings.ToLower(secret)
		if len(secret) < shared {
			return strings.Contains(text, secret)
		}
		for i := range len(text) - shared + 1 {
			if strings.Contains(secret, text[i:i+shared]) {
				return true
			}
		}
		return false
	})
}

// shownCode is code if it may be shown, or else empty.
func shownCode(code string, s secrets) string {
	switch code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
		"access_denied", "server_error", "temporarily_unavailable", "invalid_target", "invalid_token", "insufficient_scope":
		return code // a word of the RFCs gives nothing away, even if a secret has it in it
	}
	if !showable(code, maxCode) || s.echoed(code) {
		return ""
	}
	return code
}

// showable says whether text is of RFC 6749's characters for error codes and scopes (%x21, %x23-5B, %x5D-7E) and at most limit long.
// An error code may also have spaces; one that does is prose.
func showable(text string, limit int) bool {
	return text != "" && len(text) <= limit && !strings.ContainsFunc(text, func(c rune) bool {
		return c < 0x21 || c > 0x7e || c == '"' || c == '\\'
	})
}

// correlationID is what the vendor's support asks for, if it may be shown.
func correlationID(header http.Header, said *members, s secrets) string {
	inBody := said.at("correlationId").string()
	for _, id := range []string{header.Get("X-Correlation-Id"), header.Get("X-Request-Id"), header.Get("X-Debug-Id"), inBody} {
		if id != "" && len(id) <= maxCode && strings.Trim(id, idCharacters) == "" && !s.echoed(id) {
			return id
		}
	}
	return ""
}

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"

// digits is the code of Adobe's gateway, which is a number, at times in a string. Empty: it is neither.
func (v value) digits() string {
	if v.kind != isString && v.kind != isNumber || len(v.text) > 16 || strings.Trim(v.text, "0123456789") != "" {
		return ""
	}
	return v.text
}
