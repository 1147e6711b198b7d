// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"
)

// A mutant is a source file with one edit that should make some test fail.
type mutant struct {
	file     string // path from the root of the repository
	line     int
	operator operator
	// start and end are the offsets in source of the text that is replaced.
	start, end int
	with       string
	source     []byte
}

// An operator is a kind of mutation.
type operator string

const (
	negation   operator = "negated"    // a condition, or one side of && and ||
	equality   operator = "equality"   // == for !=, and the other way round
	boundary   operator = "boundary"   // < for <=, > for >=, min for max, and the other way round
	logic      operator = "logic"      // && for ||, and the other way round
	dropped    operator = "dropped"    // a statement
	constant   operator = "constant"   // another number, true for false
	arithmetic operator = "arithmetic" // + for -, * for /, and the other way round
)

func (m *mutant) String() string { return fmt.Sprintf("%s:%d: %s", m.file, m.line, m.operator) }

// text returns the whole file with the edit.
func (m *mutant) text() []byte {
	var out []byte
	out = append(out, m.source[:m.start]...)
	out = append(out, m.with...)
	return append(out, m.source[m.end:]...)
}

// diff returns the edited line before and after. Of an edit of several lines it shows the first.
func (m *mutant) diff() string {
	from := strings.LastIndexByte(string(m.source[:m.start]), '\n') + 1
	before, more := firstLine(string(m.source[from:]))
	after := strings.TrimSpace(string(m.source[from:m.start]) + m.with + m.restOfLine())
	if more = more && m.end > from+len(before); more {
		before += " …"
	}
	if after == "" {
		after = "(nothing)"
	}
	return fmt.Sprintf("- %s\n+ %s", strings.TrimSpace(before), after)
}

func (m *mutant) restOfLine() string {
	rest, _ := firstLine(string(m.source[m.end:]))
	return rest
}

func firstLine(text string) (line string, more bool) {
	line, _, more = strings.Cut(text, "\n")
	return line, more
}
