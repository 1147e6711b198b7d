// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"strings"
)

// kinds is a set of types that a value can have.
type kinds uint8

const (
	kindText kinds = 1 << iota
	kindNumber
	kindBool
	kindList // of texts: .scopes
	kindMap  // of texts: .headers
	kindAll  // the dot at the top: all values
)

var kindNames = []string{"a text", "a number", "a boolean", "a list", "a map", "all values"}

func (k kinds) String() string {
	var names []string
	for i, name := range kindNames {
		if k&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " or ")
}

// within reports whether all kinds of k are among the others.
func (k kinds) within(others kinds) bool { return k&^others == 0 }

// A shape is what the check knows of a value before there is one.
type shape struct {
	kinds   kinds
	size    int     // of its text, when printed, at most
	secret  string  // the secret that it was computed from, as the template names it. Empty: none
	literal *string // the text itself, where the template has it in quotes
}

// computed is the shape without the literal: what went through a variable or a dot is none any more.
func (s shape) computed() shape {
	s.literal = nil
	return s
}

// tainted is s, and secret if any of the others is.
func (s shape) tainted(others ...shape) shape {
	for _, other := range others {
		s.secret = cmp.Or(s.secret, other.secret)
	}
	return s
}

// or is what may be the one or the other.
func (s shape) or(other shape) shape {
	return shape{kinds: s.kinds | other.kinds, size: max(s.size, other.size)}.tainted(s, other)
}

// topNames are the fields of the top level, and topFields their shapes.
var (
	topNames  = []string{"token", "tokenType", "expiresAt", "clientID", "scopes", "headers"}
	topFields = map[string]shape{
		"token":     {kinds: kindText, size: MaxSecret, secret: ".token"},
		"tokenType": {kinds: kindText, size: maxShort},
		"expiresAt": {kinds: kindText, size: maxShort},
		"clientID":  {kinds: kindText, size: MaxSecret, secret: ".clientID"},
		"scopes":    {kinds: kindList, size: maxScopes * (maxScope + 1)},
		"headers":   {kinds: kindMap, size: maxHeaders, secret: ".headers"},
	}
)

func header(name string) shape { return shape{kinds: kindText, size: MaxSecret, secret: name} }
