// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"slices"
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// valueKind is the JSON type of a value. The zero kind is that of a member which is not there.
type valueKind int

const (
	absent valueKind = iota
	isNull
	isBool
	isNumber
	isString
	isLong // a string of more than maxText bytes, which is not kept
	isList
	isObject
)

// value is what is kept of one JSON value.
type value struct {
	kind valueKind
	// text is that of a string, or of a number.
	text string
	// yes is the value of a boolean.
	yes bool
	// list has the strings among a list's elements.
	list []string
}

// members is the part of a JSON object that is wanted: everything else is skipped when an answer is read.
type members struct {
	value
	inner map[string]*members
}

// wanted has nothing but the places for what an answer may say under paths. A dot descends into an object.
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

// reset forgets what was read: of a name that is there twice the last value counts.
func (m *members) reset() {
	if m == nil {
		return
	}
	m.value = value{}
	for _, inner := range m.inner {
		inner.reset()
	}
}

// set keeps a value that is wanted.
func (m *members) set(v value) {
	if m != nil {
		m.value = v
	}
}

// member is the place for the member of that name. Nil: it is not wanted.
func (m *members) member(name string) *members {
	if m == nil {
		return nil
	}
	return m.inner[name]
}

// at is the value under a path. Absent also if m is nil.
func (m *members) at(path string) value {
	for name := range strings.SplitSeq(path, ".") {
		m = m.member(name)
	}
	if m == nil {
		return value{}
	}
	return m.value
}

// string is the value as a string, or empty.
func (v value) string() string {
	if v.kind != isString {
		return ""
	}
	return v.text
}

// missing reports whether there is no value, or null.
func (v value) missing() bool { return v.kind == absent || v.kind == isNull }

// errorPaths are what is read of an answer that is no token: see errorCode and correlationID.
var errorPaths = []string{"error", "error.code", "error_code", "correlationId"}

// answerPaths are all that is read of an answer.
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
