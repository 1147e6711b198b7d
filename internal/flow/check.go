// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"net/url"
	"slices"
	"strings"
)

// A FieldError says what is wrong with a flow.
type FieldError struct {
	// Field is url, clientAuth, or headers or parameters, both with a dot and the name where there is one.
	Field string
	// Detail says what is wrong with it.
	Detail string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Detail }

// Check reports why the flow could not be carried out, as far as that does not depend on the values of the client Secret. Nil: it can be.
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

// CheckURL repeats what the API server refuses, for the last place before a secret leaves. Nil: the address is good.
func CheckURL(address string) *FieldError {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return &FieldError{"url", "must be an https address with a host and without user info or fragment"}
	}
	return nil
}

func (s *Step) checkClientAuth() *FieldError {
	if s.ClientAuth == PrivateKeyJWT && s.Assertion == nil {
		return &FieldError{"clientAuth", "must say what the assertion is"}
	}
	return nil
}

// ownParameters are those that a Step of OAuth 2.0 has fields for: another value would be another client, another grant, or a second statement of
// the same. Servers differ on whether case matters.
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

func (s *Step) checkHeaders() *FieldError {
	seen := map[string]bool{}
	for _, header := range s.Headers {
		plain := plainHeader(header.Name)
		switch {
		case !IsToken(header.Name):
			return &FieldError{"headers", "must have names that HTTP allows"}
		case isOwnHeader(plain):
			return &FieldError{"headers." + header.Name, "is set by the operator, or tells servers who asks: it cannot be set"}
		case seen[plain]:
			return &FieldError{"headers." + header.Name, "is there twice: neither case nor _ for - makes another header"}
		case !IsHeaderValue(header.Value):
			return &FieldError{"headers." + header.Name, "must not contain a line break or another control character"}
		}
		seen[plain] = true
	}
	return nil
}

// IsToken reports whether name is an RFC 9110 section 5.6.2 token.
func IsToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// IsHeaderValue reports whether value can be that of a header (RFC 9110 section 5.5).
func IsHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
