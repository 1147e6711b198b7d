// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"slices"
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// valueKind is the JSON type of a value. The zero kind is that of a missing member.
type valueKind int

const (
	absent valueKind = iota
	isNull
	isBool
	isNumber
	isString
	isLong // a string that is too long to be kept
	isList
	isObject
)

// value is what is kept of one JSON value.
type value struct {
	kind valueKind
	// text of a string or a number.
	text string
	// yes is the value of a boolean.
	yes bool
	// list has the strings in a list.
	list []string
}

// members are the parts of a JSON object to read. The scanner skips everything else.
type members struct {
	value
	inner map[string]*members
}

// wanted returns empty members for the given paths. A dot descends into an object.
func wanted(paths ...string) *members {
	root := &members{}
	for _, path := range paths {
		m := root
		for name := range strings.SplitSeq(path, ".") {
			if m.inner == nil {
				m.inner = map[string]*members{}
			}
			if m.inner[name] == nil {
				m.inner[name] = &members{}
			}
			m = m.inner[name]
		}
	}
	return root
}

// reset discards what was read: the last of several members of the same name counts.
func (m *members) reset() {
	if m == nil {
		return
	}
	m.value = value{}
	for _, inner := range m.inner {
		inner.reset()
	}
}

// set sets the value, unless it is not wanted.
func (m *members) set(v value) {
	if m != nil {
		m.value = v
	}
}

// member returns the member of that name. Nil: it is not wanted.
func (m *members) member(name string) *members {
	if m == nil {
		return nil
	}
	return m.inner[name]
}

// at returns the value at a path. Absent also if m is nil.
func (m *members) at(path string) value {
	for name := range strings.SplitSeq(path, ".") {
		m = m.member(name)
	}
	if m == nil {
		return value{}
	}
	return m.value
}

// string returns a string, and empty for any other value.
func (v value) string() string {
	if v.kind != isString {
		return ""
	}
	return v.text
}

// missing reports whether the value is absent or null.
func (v value) missing() bool { return v.kind == absent || v.kind == isNull }

// errorPaths are the paths of an error answer: see errorCode and correlationID.
var errorPaths = []string{"error", "error.code", "error_code", "correlationId"}

// answerPaths are all paths of an answer.
func answerPaths(r flow.Response) []string {
	paths := slices.Concat(errorPaths, []string{"access_token", "token", "token_type", "expires_in", "scope", "success"})
	if r.Envelope != "" {
		for _, path := range []string{r.TokenField, r.ExpiresInField, "token_type", "scope"} {
			paths = append(paths, r.Envelope+"."+path)
		}
	}
	for _, path := range []string{r.TokenField, r.ExpiresInField} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}
