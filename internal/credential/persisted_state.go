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

// PersistedState is what the operator writes onto the target Secret beside the token, so that a restarted operator can decide without asking
// anybody: the target Secret is the state. It holds no secret, only salted fingerprints.
type PersistedState struct {
	// Salt keys the fingerprints. It is new with every token, so that equal secrets in two namespaces do not look alike.
	Salt []byte `json:"salt"`
	// Object is the name of the CDPCredential that it was issued for: a Secret may be handed over together with another one's record.
	Object string `json:"object"`
	// IssuedAt and ExpiresAt are the token's life, exact where the annotation for users has whole seconds. Zero for basic.
	IssuedAt  time.Time `json:"issuedAt,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	// Clock says on which local clock they are in the annotation. In memory they are on the reconciler's Clock, which is behind that one by ahead.
	Clock      v1alpha1.ClockReading `json:"clock,omitzero"`
	ClockAhead time.Duration         `json:"-"`
	// TokenType and Granted are needed to render the templates again.
	TokenType string   `json:"tokenType,omitempty"`
	Granted   []string `json:"granted,omitempty"`
	// SpecHash is the fingerprint of what the object asks for, and Client the version of the client Secret that was read: while both stay,
	// nothing that would be sent has changed. Request is the fingerprint of what was sent, Rest the same without resources.
	// AskedRest is SpecHash without Algonomy's resources.
	SpecHash                    string `json:"asked"`
	SpecHashWithoutUpdatable    string `json:"askedRest,omitempty"`
	ClientVersion               string `json:"client"`
	RequestHash                 string `json:"request"`
	RequestHashWithoutUpdatable string `json:"rest,omitempty"`
	// TargetSpecHash is the fingerprint of spec.target.
	TargetSpecHash string `json:"shape"`
	// TokenMAC is the fingerprint of the token and its times, Data that of all our data.
	TokenMAC string `json:"token"`
	DataMAC  string `json:"data"`
	// DataRevision is a random ID of the data, and Templates the fingerprint of the templates that it was written with. Empty: an earlier version
	// wrote it, or there are no templates.
	DataRevision  string `json:"dataRevision,omitempty"`
	TemplatesHash string `json:"templates,omitempty"`
	// Shared says that the Secret holds keys of others, too, and therefore has no owner reference of ours.
	Shared bool `json:"shared,omitempty"`
	// Keys, Labels and Annotations are the names of what we wrote, to be taken away when it is no longer wanted.
	Keys        []string `json:"keys"`
	Labels      []string `json:"labels,omitempty"`
	Annotations []string `json:"annotations,omitempty"`
	// DefaultKeys are those of Keys that no template made: all that may be used of this Secret where it is a client Secret itself.
	DefaultKeys []string `json:"default,omitempty"`
	// Cause is why the token was issued.
	Cause cause `json:"cause"`
	// HandledRequest is the refresh request that was handled with it, and Issuance the count of the day with it: status may be lost.
	HandledRequest string             `json:"handled,omitempty"`
	Issuance       *v1alpha1.Issuance `json:"issuance,omitempty"`
	// SameCount counts the tokens in a row, this one included, of an endpoint that was found to give the same one until it ends.
	SameCount int `json:"same,omitempty"`
	// Warned names the warnings given already.
	Warned []string `json:"warned,omitempty"`
}

// DescribeTarget notes what is written into the target, and what spec.target said of it.
func (rec *PersistedState) DescribeTarget(target *v1alpha1.Target, data map[string][]byte) {
	rec.TargetSpecHash = TargetSpecHash(target)
	rec.Keys = SortedKeys(data)
	rec.DefaultKeys = slices.DeleteFunc(SortedKeys(data), func(key string) bool { _, templated := target.Data[key]; return templated })
}

// ParsePersistedState gives nil for what cannot be read or is of another object: the token beside it is then as good as edited.
func ParsePersistedState(text, object string) *PersistedState {
	if rec := ParseAnyPersistedState(text); rec != nil && rec.Object == object {
		return rec
	}
	return nil
}

// ParseAnyPersistedState gives a record of whatever object. Nil: it cannot be read.
func ParseAnyPersistedState(text string) *PersistedState {
	if text == "" {
		return nil
	}
	var rec PersistedState
	if err := json.Unmarshal([]byte(text), &rec); err != nil || len(rec.Salt) == 0 || rec.TokenMAC == "" {
		return nil
	}
	return &rec
}

func (rec *PersistedState) life() token.Life {
	return token.Life{IssuedAt: rec.IssuedAt, ExpiresAt: rec.ExpiresAt}
}

// Expired is false for basic, which never expires.
func (rec *PersistedState) Expired(now time.Time) bool {
	return !rec.ExpiresAt.IsZero() && !now.Before(rec.ExpiresAt)
}

// OnLocalClock is the record as it is written down: with its times on the local clock.
func (rec *PersistedState) OnLocalClock() *PersistedState {
	local := *rec
	local.IssuedAt, local.ExpiresAt = Moved(rec.IssuedAt, rec.ClockAhead), rec.LocalExpiry()
	return &local
}

// LocalExpiry is when the token expires on the local clock that the record was written on.
func (rec *PersistedState) LocalExpiry() time.Time { return Moved(rec.ExpiresAt, rec.ClockAhead) }

// TokenMACOf is the fingerprint that the record has of its token: it covers the times, so that nobody prolongs a token by editing an annotation.
func (rec *PersistedState) TokenMACOf(value []byte) string {
	local := rec.OnLocalClock()
	clock := fmt.Sprintf("%s %d %d", rec.Clock.Process, rec.Clock.AheadSeconds, rec.Clock.ServerSeconds)
	return Fingerprint(rec.Salt, value, []byte(local.IssuedAt.UTC().Format(time.RFC3339Nano)), []byte(local.ExpiresAt.UTC().Format(time.RFC3339Nano)), []byte(clock))
}

// DataMACOf is the fingerprint of the given keys of data.
func (rec *PersistedState) DataMACOf(data map[string][]byte, keys []string) string {
	var pieces [][]byte
	for _, key := range keys {
		value, there := data[key]
		if !there {
			continue
		}
		pieces = append(pieces, []byte(key), value)
	}
	return Fingerprint(rec.Salt, pieces...)
}

// TokenIn is the value that reports whether the token is still the one that was written. basic writes none, whatever else is in the Secret under that
// name: a key of the user's, or the previous token if its record was lost.
func (rec *PersistedState) TokenIn(data map[string][]byte) []byte {
	if slices.Contains(rec.Keys, "token") {
		return data["token"]
	}
	return data["authorization"]
}
