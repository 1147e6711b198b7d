// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Setting is one thing that a user says and that makes another token of it.
type Setting struct {
	Name   string
	Values []string
	// Updatable says that Update changes it in a token that is in use.
	Updatable bool
}

func text(name, value string) Setting {
	if value == "" {
		return Setting{Name: name}
	}
	return Setting{Name: name, Values: []string{value}}
}

func list(name string, values []string) Setting { return Setting{Name: name, Values: values} }

func pairs[T ~string](name string, values map[string]T) Setting {
	s := Setting{Name: name}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		s.Values = append(s.Values, key, string(values[key]))
	}
	return s
}

// spec is all that the user says of a provider. An upgrade does not change it: fields that the user does not set are not written.
func spec(p *v1alpha1.Provider) Setting {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and numbers, and lists and maps of strings
	}
	return Setting{Name: "spec", Values: []string{string(text)}}
}

func updatable(s Setting) Setting {
	s.Updatable = true
	return s
}

func scopeSeparator(separator string) Setting { return text("scope separator", cmp.Or(separator, " ")) }

// firstEdition adds what the fingerprints of the first edition had for every provider: they must stay, or an upgrade would renew every token.
func firstEdition(settings ...Setting) []Setting {
	return append(settings,
		text("auth method", string(ClientSecretBasic)), text("body format", string(Form)),
		text("token field", "access_token"), text("expires in field", "expires_in"), text("expires in unit", string(Seconds)))
}

// Fingerprint tells requests apart without giving them away: equal fingerprints under one salt mean that the same would be sent to the same place and
// the answer read in the same way. values are those of the client Secret by Field, and may be nil; issue tells one writing of a client Secret that
// the operator itself wrote from the next. 32 hexadecimal digits. An empty setting or value is not written, so that those of a later version leave the
// fingerprints of today as they are.
func (f *Flow) Fingerprint(salt []byte, values map[string]string, issue string) string {
	return f.fingerprint(salt, values, issue, true)
}

// FingerprintWithoutUpdatable is Fingerprint without the settings that Update changes. Requests that differ by Fingerprint and not by this one are an
// update of one token. Empty: the flow has no update.
func (f *Flow) FingerprintWithoutUpdatable(salt []byte, values map[string]string, issue string) string {
	if f.Update == nil {
		return ""
	}
	return f.fingerprint(salt, values, issue, false)
}

func (f *Flow) fingerprint(salt []byte, values map[string]string, issue string, updatable bool) string {
	p := pieces{}
	p.add("provider", f.Kind)
	p.add("url", f.Address)
	for _, key := range f.Keys {
		p.add(cmp.Or(key.fingerprinted, key.Field), values[key.Field])
	}
	p.add("issue", issue)
	for _, s := range f.Settings {
		if updatable || !s.Updatable {
			p.list(s.Name, s.Values)
		}
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write(p.written)
	clear(p.written) // it has secrets in it
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// pieces writes named values so that no two different lists of them are written alike: every piece is preceded by its length, and every
// list by the number of its pieces.
type pieces struct{ written []byte }

func (p *pieces) add(name, value string) {
	if value != "" {
		p.list(name, []string{value})
	}
}

func (p *pieces) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	p.piece(name)
	p.written = append(strconv.AppendInt(p.written, int64(len(values)), 10), ':')
	for _, value := range values {
		p.piece(value)
	}
}

func (p *pieces) piece(text string) {
	p.written = append(strconv.AppendInt(p.written, int64(len(text)), 10), ':')
	p.written = append(p.written, text...)
}
