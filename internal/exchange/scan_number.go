// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bufio"
	"strings"
)

// number reads a number (RFC 8259 section 6) that begins with first. One longer than maxNumber has no text.
func (s *scanner) number(first byte) (value, error) {
	n := &numberReader{in: s.in, raw: s.raw[:0], c: first}
	n.optional("-")
	whole := n.optional("0") || n.digits()
	fraction := !n.optional(".") || n.digits()
	exponent := true
	if n.optional("eE") {
		n.optional("+-")
		exponent = n.digits()
	}
	s.raw = n.raw
	switch {
	case n.err != nil:
		return value{}, n.err
	case !whole || !fraction || !exponent:
		return value{}, errNotAnObject
	}
	if err := s.in.UnreadByte(); err != nil {
		return value{}, err
	}
	if len(n.raw) > maxNumber {
		return value{kind: isNumber}, nil
	}
	return value{kind: isNumber, text: string(n.raw)}, nil
}

// numberReader reads a number character by character. c is the next one.
type numberReader struct {
	in  *bufio.Reader
	raw []byte
	c   byte
	err error
}

// optional consumes the next character if it is one of these.
func (n *numberReader) optional(these string) bool {
	if n.err != nil || strings.IndexByte(these, n.c) < 0 {
		return false
	}
	if len(n.raw) <= maxNumber {
		n.raw = append(n.raw, n.c)
	}
	n.c, n.err = n.in.ReadByte()
	return true
}

// digits consumes the digits that follow, and reports whether there is at least one.
func (n *numberReader) digits() bool {
	some := false
	for n.optional("0123456789") {
		some = true
	}
	return some
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
