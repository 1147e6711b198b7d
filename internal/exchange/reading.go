// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// reading reads one answer.
type reading struct {
	flow.Response
	// requested are the requested scopes.
	requested []string
}

// token returns the answer's token. The error is an *Error.
func (r reading) token(a answer) (Token, error) {
	if !a.ok() {
		return Token{}, r.remark(a.refusal())
	}
	said := r.unwrap(a.said)
	field := said.at(r.TokenField)
	value := field.string()
	a.secrets = a.secrets.and(value)
	switch {
	case a.problem != "":
		return Token{}, a.malformed(string(a.problem))
	case failed(a.said):
		return Token{}, a.malformed("the answer is an error")
	case field.kind == isLong || len(value) > MaxSecret:
		return Token{}, a.unusable("the token is longer than 16 KiB")
	case value == "":
		return Token{}, a.malformed("the answer has no token")
	case !headerSafe(value):
		return Token{}, a.unusable("the token has characters that are unsafe in an HTTP header")
	}
	var expiresIn time.Duration
	if r.ExpiresInField != "" {
		expiresIn = lifetime(r.ExpiresInUnit, said.at(r.ExpiresInField).number())
	}
	life, err := token.Answer{
		Sent:       a.sent,
		Date:       a.date(),
		Claims:     token.ReadClaims(value),
		ExpiresIn:  expiresIn,
		ClaimsOnly: r.ClaimsOnly,
		Asked:      r.Lifetime,
		Default:    r.DefaultLifetime,
	}.Life()
	if err != nil {
		refused := a.unusable(err.Error())
		refused.Cause = err
		return Token{}, refused
	}
	return Token{
		Value:   Secret(value),
		Type:    tokenType(said.at("token_type").string()),
		Granted: r.granted(said.at("scope"), a.secrets),
		Life:    life,
	}, nil
}

// remark replaces the detail of a refusal that the vendor's flow explains.
func (r reading) remark(e *Error) *Error {
	for _, remark := range r.Remarks {
		if e.Status == remark.Status && e.Code == remark.Code {
			e.Detail = remark.Detail
		}
	}
	return e
}

// lifetime converts a number in an answer to a duration. The unit is part of the flow, never guessed from the number.
func lifetime(unit flow.Unit, number float64) time.Duration {
	switch unit {
	case flow.Milliseconds:
		return token.Milliseconds(number)
	case flow.Minutes:
		return token.Minutes(number)
	}
	return token.Seconds(number)
}

// unwrap takes the answer out of its envelope, if it has one.
func (r reading) unwrap(said *members) *members {
	if inner := said.member(r.Envelope); inner != nil && inner.kind == isObject && said.at(r.TokenField).missing() {
		return inner
	}
	return said
}

// granted returns the scopes of an answer. Some servers send a list instead of RFC 6749's string. They are shown to users, so a scope that was not
// requested is left out if there are too many of them, if it has characters that the RFC does not allow, or if it repeats a secret.
func (r reading) granted(said value, s secrets) []string {
	names := said.list
	if said.kind == isString {
		separators := cmp.Or(r.ScopeSeparators, " ")
		names = strings.FieldsFunc(said.text, func(c rune) bool { return strings.ContainsRune(separators, c) })
	}
	var granted []string
	others := 0
	for _, name := range names {
		if slices.Contains(granted, name) {
			continue
		}
		if !slices.Contains(r.requested, name) {
			others++
			if others > maxScopes || !showable(name) || s.echoed(name) {
				continue
			}
		}
		granted = append(granted, name)
	}
	return granted
}

// failed reports whether a 2xx is an error nevertheless: it has an error as in RFC 6749, or its success is false as in Experiture's envelope.
func failed(said *members) bool {
	switch e := said.at("error"); e.kind {
	case absent, isNull:
	case isString:
		if e.text != "" {
			return true
		}
	case isBool:
		if e.yes {
			return true
		}
	default:
		return true
	}
	success := said.at("success")
	return success.kind == isBool && !success.yes
}

// headerSafe reports whether value consists of visible ASCII characters.
func headerSafe(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < 0x21 || c > 0x7e })
}

// number reads a lifetime: a JSON number, or a string with one. Zero: anything else.
func (v value) number() float64 {
	if v.kind != isString && v.kind != isNumber {
		return 0
	}
	said := strings.TrimSpace(v.text)
	if strings.Trim(said, "0123456789.eE+-") != "" {
		return 0 // ParseFloat also accepts inf, nan and hexadecimal
	}
	n, err := strconv.ParseFloat(said, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return n
}

// tokenType returns the authentication scheme of a token_type (RFC 6749 section 7.1). It is Bearer for any variant of bearer, for N_A (RFC 8693
// section 2.2.1), and for anything that cannot be an HTTP authentication scheme, such as nothing.
func tokenType(name string) string {
	isBearer := len(name) >= 6 && strings.EqualFold(name[:6], "bearer") || strings.EqualFold(name, "N_A")
	isScheme := len(name) <= maxTokenType && flow.IsToken(name)
	if isBearer || !isScheme {
		return "Bearer"
	}
	return name
}
