package exchange

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// maxToken is the longest token that is believed: no server takes a header that long.
const maxToken = 64 << 10

// reading is how one provider's answers are read.
type reading struct {
	// envelope is the object in which the whole answer may be. Empty: it never is.
	envelope string
	// tokenField is the path of the token.
	tokenField string
	// expiresInField is the path of the lifetime. Empty: the provider's answers say none.
	expiresInField string
	// unit makes a duration of the lifetime. It is part of the provider, never guessed from the number.
	unit func(float64) time.Duration
	// scopeSeparators are the characters between the scopes that were granted.
	scopeSeparators string
	// requested are the scopes that were asked for.
	requested []string
	// claimsOnly, asked and fallback are ClaimsOnly, Asked and Default of token.Answer.
	claimsOnly      bool
	asked, fallback time.Duration
}

// rfc6749 reads the answer of RFC 6749 section 5.1.
func rfc6749(req Request) reading {
	return reading{
		tokenField:      "access_token",
		expiresInField:  "expires_in",
		unit:            token.Seconds,
		scopeSeparators: " ",
		requested:       req.Scopes,
	}
}

// token is the answer's token, or why there is none: an *Error.
func (r reading) token(a answer) (Token, error) {
	if !a.ok() {
		return Token{}, a.refusal()
	}
	whole := a.object()
	object := r.unwrap(whole)
	value, _ := field(object, r.tokenField).(string)
	a.secrets = a.secrets.and(value)
	switch {
	case a.oversize:
		return Token{}, a.malformed("the answer is larger than 1 MiB")
	case whole == nil:
		return Token{}, a.malformed("the answer is not a JSON object")
	case failed(whole):
		return Token{}, a.malformed("the answer is an error")
	case value == "":
		return Token{}, a.malformed("the answer has no token")
	case !headerSafe(value):
		return Token{}, a.malformed("the token is not safe in an HTTP header")
	}
	var expiresIn time.Duration
	if r.expiresInField != "" {
		expiresIn = r.unit(number(field(object, r.expiresInField)))
	}
	life, err := token.Answer{
		Sent:       a.sent,
		Date:       a.date(),
		Claims:     token.ReadClaims(value),
		ExpiresIn:  expiresIn,
		ClaimsOnly: r.claimsOnly,
		Asked:      r.asked,
		Default:    r.fallback,
	}.Life()
	if err != nil {
		refused := a.malformed(err.Error())
		refused.Cause = err
		return Token{}, refused
	}
	return Token{
		Value:   Secret(value),
		Type:    tokenType(object["token_type"]),
		Granted: r.granted(object["scope"], a.secrets),
		Life:    life,
	}, nil
}

// unwrap takes the answer out of its envelope, if it is in it.
func (r reading) unwrap(object map[string]any) map[string]any {
	if inner, ok := object[r.envelope].(map[string]any); ok && r.envelope != "" && field(object, r.tokenField) == nil {
		return inner
	}
	return object
}

// granted are the scopes of an answer. Some servers send a list instead of RFC 6749's string. They are shown to users, so a scope
// that nobody asked for is left out if there are many, if it is not of the RFC's characters or if it could be part of a secret.
func (r reading) granted(said any, s secrets) []string {
	var names []string
	switch said := said.(type) {
	case string:
		names = strings.FieldsFunc(said, func(c rune) bool { return strings.ContainsRune(r.scopeSeparators, c) })
	case []any:
		for _, name := range said {
			if name, ok := name.(string); ok {
				names = append(names, name)
			}
		}
	}
	var granted []string
	others := 0
	for _, name := range names {
		if slices.Contains(granted, name) {
			continue
		}
		if !slices.Contains(r.requested, name) {
			others++
			if others > maxScopes || !showable(name, maxScope) || s.echoed(name) {
				continue
			}
		}
		granted = append(granted, name)
	}
	return granted
}

// failed says whether a 2xx is an error all the same: with RFC 6749's error, or in Experiture's envelope.
func failed(object map[string]any) bool {
	switch e := object["error"].(type) {
	case nil:
	case string:
		return e != ""
	case bool:
		return e
	default:
		return true
	}
	return object["success"] == false
}

// headerSafe says whether value is made of visible ASCII and no longer than maxToken.
func headerSafe(value string) bool {
	return len(value) <= maxToken && !strings.ContainsFunc(value, func(c rune) bool { return c < 0x21 || c > 0x7e })
}

// number reads a lifetime: a JSON number, or a string that is one. Anything else is 0, which says nothing.
func number(v any) float64 {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = strings.TrimSpace(v)
	}
	if strings.Trim(text, "0123456789.eE+-") != "" {
		return 0 // ParseFloat also knows inf, nan and hexadecimal
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return n
}

// tokenType is the answer's token_type. RFC 6749 section 7.1 makes it name the way to use the token. Whatever says bearer in other
// words, nothing, or N_A (RFC 8693 section 2.2.1) is Bearer; so is what could be no HTTP authentication scheme.
func tokenType(said any) string {
	name, _ := said.(string)
	switch {
	case len(name) >= 6 && strings.EqualFold(name[:6], "bearer"), strings.EqualFold(name, "N_A"), len(name) > maxTokenType, !isToken(name):
		return "Bearer"
	}
	return name
}
