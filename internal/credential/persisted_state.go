// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// PersistedState is what the operator writes into an annotation of the target Secret, beside the token, so that a restarted operator can decide without
// asking anybody. It contains no secret, only salted fingerprints. Other versions of the operator read it: names and order of the fields stay.
type PersistedState struct {
	// Salt keys the fingerprints. It is new with every token, so that equal secrets in two namespaces do not look alike.
	Salt []byte `json:"salt"`
	// Object is the name of the CDPCredential that the token was issued for: a Secret may be handed over together with another object's annotation.
	Object string `json:"object"`
	PersistedToken
	PersistedRequest
	PersistedTarget
	PersistedIssuance
}

// PersistedToken is the token's life, and what the templates show of the token.
type PersistedToken struct {
	// IssuedAt and ExpiresAt are exact, while the annotation for users has whole seconds. Zero for a flow without exchange.
	IssuedAt  time.Time `json:"issuedAt,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// Clock says which clock these times were written on. In memory they are on the reconciler's, which that one was ahead of by ClockAhead.
	Clock      v1alpha1.ClockReading `json:"clock,omitzero"`
	ClockAhead time.Duration         `json:"-"`
	TokenType  string                `json:"tokenType,omitempty"`
	Granted    []string              `json:"granted,omitempty"`
}

// PersistedRequest is what the token was requested with. While SpecHash and ClientVersion stay, the request stays.
type PersistedRequest struct {
	// SpecHash is the fingerprint of the desired flow. SpecHashWithoutUpdatable leaves out what an update of the token can change.
	SpecHash                 string `json:"asked"`
	SpecHashWithoutUpdatable string `json:"askedRest,omitempty"`
	// ClientVersion is the version of the client Secret.
	ClientVersion string `json:"client"`
	// RequestHash is the fingerprint of the request, values included, and RequestHashWithoutUpdatable as above.
	RequestHash                 string `json:"request"`
	RequestHashWithoutUpdatable string `json:"rest,omitempty"`
}

// PersistedTarget is what we wrote into the target Secret.
type PersistedTarget struct {
	// TargetSpecHash is the fingerprint of spec.target.
	TargetSpecHash string `json:"shape"`
	// TokenMAC is the fingerprint of the token and its times, DataMAC that of all our data.
	TokenMAC string `json:"token"`
	DataMAC  string `json:"data"`
	// DataRevision is a random ID of the data. Empty: an earlier version of the operator wrote it.
	DataRevision string `json:"dataRevision,omitempty"`
	// TemplatesHash is the fingerprint of the templates. Empty: there are none.
	TemplatesHash string `json:"templates,omitempty"`
	// Shared says that the Secret holds keys of others, too, and therefore has no owner reference of ours.
	Shared bool `json:"shared,omitempty"`
	// Keys, Labels and Annotations are the names of what we wrote, to be removed once it is no longer wanted.
	Keys        []string `json:"keys"`
	Labels      []string `json:"labels,omitempty"`
	Annotations []string `json:"annotations,omitempty"`
	// DefaultKeys are the Keys that no template made. Of a Secret that is itself used as a client Secret, only they may be used.
	DefaultKeys []string `json:"default,omitempty"`
}

// PersistedIssuance is why the token was issued, and what else a lost status would lose.
type PersistedIssuance struct {
	Cause Cause `json:"cause"`
	// HandledRequest is the refresh request that was handled with the token.
	HandledRequest string `json:"handled,omitempty"`
	// Issuance is the count of the day, with this token.
	Issuance *v1alpha1.Issuance `json:"issuance,omitempty"`
	// SameCount counts the tokens in a row, with this one, from an endpoint that repeats each until it expires.
	SameCount int `json:"same,omitempty"`
	// Warned names the warnings that were given.
	Warned []string `json:"warned,omitempty"`
}

// ParsePersistedState returns nil for what is unreadable or another object's. The token beside it then counts as replaced.
func ParsePersistedState(text, object string) *PersistedState {
	if p := ParseAnyPersistedState(text); p != nil && p.Object == object {
		return p
	}
	return nil
}

// ParseAnyPersistedState returns the state of whatever object. Nil: it is unreadable.
func ParseAnyPersistedState(text string) *PersistedState {
	if text == "" {
		return nil
	}
	var p PersistedState
	if err := json.Unmarshal([]byte(text), &p); err != nil || len(p.Salt) == 0 || p.TokenMAC == "" {
		return nil
	}
	return &p
}

// DescribeTarget notes what is written into the target, and for which spec.target.
func (p *PersistedState) DescribeTarget(target *v1alpha1.Target, data map[string][]byte) {
	p.TargetSpecHash = TargetSpecHash(target)
	p.Keys = SortedKeys(data)
	p.DefaultKeys = slices.DeleteFunc(SortedKeys(data), func(key string) bool { _, templated := target.Data[key]; return templated })
}

func (p *PersistedState) life() token.Life {
	return token.Life{IssuedAt: p.IssuedAt, ExpiresAt: p.ExpiresAt}
}

// Expired reports whether the token has expired. Copied values never do.
func (p *PersistedState) Expired(now time.Time) bool {
	return !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt)
}

// OnLocalClock returns the state as it is written: with its times on the local clock.
func (p *PersistedState) OnLocalClock() *PersistedState {
	local := *p
	local.IssuedAt, local.ExpiresAt = Moved(p.IssuedAt, p.ClockAhead), p.LocalExpiry()
	return &local
}

// LocalExpiry returns when the token expires, on the local clock that the state was written on.
func (p *PersistedState) LocalExpiry() time.Time { return Moved(p.ExpiresAt, p.ClockAhead) }

// TokenMACOf returns the fingerprint of a token with the times of this one, so that nobody prolongs a token by editing the annotation.
func (p *PersistedState) TokenMACOf(value []byte) string {
	local := p.OnLocalClock()
	clock := fmt.Sprintf("%s %d %d", p.Clock.Process, p.Clock.AheadSeconds, p.Clock.ServerSeconds)
	return fingerprint(p.Salt, value, []byte(local.IssuedAt.UTC().Format(time.RFC3339Nano)), []byte(local.ExpiresAt.UTC().Format(time.RFC3339Nano)), []byte(clock))
}

// DataMACOf returns the fingerprint of the given keys of data.
func (p *PersistedState) DataMACOf(data map[string][]byte, keys []string) string {
	var pieces [][]byte
	for _, key := range keys {
		if value, ok := data[key]; ok {
			pieces = append(pieces, []byte(key), value)
		}
	}
	return fingerprint(p.Salt, pieces...)
}

// TokenIn returns the value by which the token is recognised. A flow without exchange writes no key "token": one that is there all the same is the
// user's, or a token of the previous spec.
func (p *PersistedState) TokenIn(data map[string][]byte) []byte {
	if slices.Contains(p.Keys, "token") {
		return data["token"]
	}
	return data["authorization"]
}
