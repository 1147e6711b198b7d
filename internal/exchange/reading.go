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

// reading is how one answer is read.
type reading struct {
	flow.Response
	// requested are the scopes that were asked for.
	requested []string
}

// token is the answer's token, or why there is none: an *Error.
func (r reading) token(a answer) (Token, error) {
	if !a.ok() {
		return Token{}, r.remark(a.refusal())
	}
	said := r.unwrap(a.said)
	held := said.at(r.TokenField)
	value := held.string()
	a.secrets = a.secrets.and(value)
	switch {
	case a.problem != "":
		return Token{}, a.malformed(string(a.problem))
	case failed(a.said):
		return Token{}, a.malformed("the answer is an error")
	case held.kind == isLong || len(value) > MaxSecret:
		return Token{}, a.unusable("the token is longer than 16 KiB")
	case value == "":
		return Token{}, a.malformed("the answer has no token")
	case !headerSafe(value):
		return Token{}, a.unusable("the token is not safe in an HTTP header")
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

// remark says more of a refusal, where the vendor's habits say more.
func (r reading) remark(e *Error) *Error {
	for _, remark := range r.Remarks {
		if e.Status == remark.Status && e.Code == remark.Code {
			e.Detail = remark.Detail
		}
	}
	return e
}

// lifetime makes a duration of a number in an answer. The unit is part of the flow, never guessed from the number.
func lifetime(unit flow.Unit, number float64) time.Duration {
	switch unit {
	case flow.Milliseconds:
		return token.Milliseconds(number)
	case flow.Minutes:
		return token.Minutes(number)
	}
	return token.Seconds(number)
}

// unwrap takes the answer out of its envelope, if it is in it.
func (r reading) unwrap(said *members) *members {
	if inner := said.member(r.Envelope); inner != nil && inner.kind == isObject && said.at(r.TokenField).missing() {
		return inner
	}
	return said
}

// granted are the scopes of an answer. Some servers send a list instead of RFC 6749's string. They are shown to users, so a scope
// that nobody asked for is left out if there are many if it is not of the RFC's characters or if it repeats a secret.
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

// failed reports whether a 2xx is an error all the same: with RFC 6749's error, or in Experiture's envelope.
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

// headerSafe reports whether value is made of visible ASCII.
func headerSafe(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < 0x21 || c > 0x7e })
}

// number reads a lifetime: a JSON number, or a string that is one. Anything else is 0, which says nothing.
func (v value) number() float64 {
	if v.kind != isString && v.kind != isNumber {
		return 0
	}
	said := strings.TrimSpace(v.text)
	if strings.Trim(said, "0123456789.eE+-") != "" {
		return 0 // ParseFloat also knows inf, nan and hexadecimal
	}
	n, err := strconv.ParseFloat(said, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return n
}

// tokenType is the answer's token_type. RFC 6749 section 7.1 makes it name the way to use the token. Whatever says bearer in other
// words, nothing, or N_A (RFC 8693 section 2.2.1) is Bearer; so is what could be no HTTP authentication scheme.
func tokenType(name string) string {
	switch {
	case len(name) >= 6 && strings.EqualFold(name[:6], "bearer"), strings.EqualFold(name, "N_A"), len(name) > maxTokenType, !flow.IsToken(name):
		return "Bearer"
	}
	return name
}
