// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// Setting is part of the spec that determines which token is issued.
type Setting struct {
	Name   string
	Values []string
	// Updatable says that Update can change it in a token that is in use.
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

// spec covers everything that the user sets for a provider. An upgrade does not change it, since unset fields are omitted.
func spec(p *v1alpha1.Provider) Setting {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // cannot happen: strings, numbers, and lists and maps of strings
	}
	return Setting{Name: "spec", Values: []string{string(text)}}
}

func updatable(s Setting) Setting {
	s.Updatable = true
	return s
}

func scopeSeparator(separator string) Setting { return text("scope separator", cmp.Or(separator, " ")) }

// firstEdition adds what the fingerprints of the first edition contained for every provider. Fingerprints must not change, or an upgrade would
// renew every token.
func firstEdition(settings ...Setting) []Setting {
	return append(settings,
		text("auth method", string(ClientSecretBasic)), text("body format", string(Form)),
		text("token field", "access_token"), text("expires in field", "expires_in"), text("expires in unit", string(Seconds)))
}
