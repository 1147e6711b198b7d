// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"net/url"
	"slices"
	"strings"
)

// A FieldError says which part of a flow is invalid.
type FieldError struct {
	// Field is url, clientAuth, headers or parameters, the latter two followed by a dot and the name, if there is one.
	Field string
	// Detail is what is wrong with it.
	Detail string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Detail }

// Check returns why the flow cannot be carried out, whatever the values of the client Secret. Nil: it can be.
func (f *Flow) Check() *FieldError {
	for _, step := range []*Step{f.Issue, f.Update} {
		if step == nil {
			continue
		}
		for _, check := range []func() *FieldError{step.checkURL, step.checkClientAuth, step.checkParameters, step.checkHeaders} {
			if invalid := check(); invalid != nil {
				return invalid
			}
		}
	}
	return nil
}

func (s *Step) checkURL() *FieldError { return CheckURL(s.URL) }

// CheckURL repeats the API server's validation right before a secret is sent. Nil: the address is valid.
func CheckURL(address string) *FieldError {
	u, err := url.Parse(address)
	isHTTPS := err == nil && u.Scheme == "https" && u.Hostname() != ""
	if !isHTTPS || u.User != nil || u.Fragment != "" {
		return &FieldError{"url", "must be an https address with a host and without user info or fragment"}
	}
	return nil
}

func (s *Step) checkClientAuth() *FieldError {
	if s.ClientAuth == PrivateKeyJWT && s.Assertion == nil {
		return &FieldError{"clientAuth", "must describe the assertion"}
	}
	return nil
}

// ownParameters are those for which a Step of OAuth 2.0 has fields: a second value would mean another client or another grant, or contradict the
// field. Servers differ on whether case matters.
var ownParameters = []string{"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "scope", "audience", "resource"}

func (s *Step) checkParameters() *FieldError {
	for _, parameter := range s.Parameters {
		switch {
		case parameter.Name == "":
			return &FieldError{"parameters", "must have a name"}
		case s.GrantType != "" && slices.Contains(ownParameters, strings.ToLower(parameter.Name)):
			return &FieldError{"parameters." + parameter.Name, "is set by the operator or by a field of its own"}
		}
	}
	return nil
}

// ownHeaders may be set only by the operator and net/http: credentials, the framing of the body, the hop-by-hop headers of RFC 9110 section 7.6.1,
// and headers by which proxies tell servers who is asking for what. Accept-Encoding would turn off decompression. ownHeaderFamilies are
// prefixes of more.
var (
	ownHeaders = []string{
		"accept-encoding", "authorization", "connection", "cookie", "expect", "forwarded", "host", "keep-alive", "te", "trailer", "transfer-encoding",
		"upgrade", "via", "x-http-method-override", "x-real-ip",
	}
	ownHeaderFamilies = []string{"content-", "proxy-", "x-forwarded-", "x-original-", "x-remote-", "x-rewrite-"}
)

// plainHeader normalizes a header's name as a server might: without case and, as CGI does, with - and _ alike.
func plainHeader(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "-") }

// isOwnHeader reports whether a header with this plain name is not for users to set.
func isOwnHeader(plain string) bool {
	return slices.Contains(ownHeaders, plain) ||
		slices.ContainsFunc(ownHeaderFamilies, func(family string) bool { return strings.HasPrefix(plain, family) })
}

func (s *Step) checkHeaders() *FieldError {
	seen := map[string]bool{}
	for _, header := range s.Headers {
		plain := plainHeader(header.Name)
		switch {
		case !IsToken(header.Name):
			return &FieldError{"headers", "must have names that are valid in HTTP"}
		case isOwnHeader(plain):
			return &FieldError{"headers." + header.Name, "is reserved for the operator or for proxies: remove it"}
		case seen[plain]:
			return &FieldError{"headers." + header.Name, "is there twice: names that differ only in case, or in _ instead of -, are the same header"}
		case !IsHeaderValue(header.Value):
			return &FieldError{"headers." + header.Name, "must not contain a line break or another control character"}
		}
		seen[plain] = true
	}
	return nil
}

// IsToken reports whether name is a token of RFC 9110 section 5.6.2.
func IsToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// IsHeaderValue reports whether value is valid in a header (RFC 9110 section 5.5).
func IsHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
