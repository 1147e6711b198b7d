// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// The bounds of an answer. What is skipped takes no memory, and what is kept is bounded: an answer of 1 MiB can be made to take fifty
// times as much by a reader that builds a tree of it.
const (
	maxMembers  = 256
	maxDepth    = 16
	maxText     = 64 << 10 // of one string that is kept, escapes included
	maxName     = 1 << 10  // of the name of a member that is wanted
	maxNumber   = 128
	maxElements = 256 // of a list that is kept
)

// bodyError says why an answer is not read. Anything else that scan returns is an error of the reader below.
type bodyError string

func (u bodyError) Error() string { return string(u) }

const (
	errNotAnObject    bodyError = "the answer is not a JSON object"
	errTooManyMembers bodyError = "the answer has more than 256 members"
	errTooDeep        bodyError = "the answer is nested more than 16 levels deep"
	errTooLarge       bodyError = "the answer is larger than 1 MiB"
)

// scanner reads one JSON object and keeps nothing but what is wanted.
type scanner struct {
	in             *bufio.Reader
	members, depth int
	raw            []byte // the string or number that is being kept
}

// scan reads the JSON object that is the whole of in, whatever its Content-Type says: servers send it as text/plain and text/html, and with
// a byte order mark.
func scan(in io.Reader, into *members) error {
	s := &scanner{in: bufio.NewReader(in)}
	err := s.document(into)
	if errors.Is(err, io.EOF) {
		err = errNotAnObject // it ends too early
	}
	if err != nil {
		into.reset()
	}
	return err
}

func (s *scanner) document(into *members) error {
	if mark, err := s.in.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = s.in.Discard(len(mark))
	}
	c, err := s.next()
	if err != nil {
		return err
	}
	if c != '{' {
		return errNotAnObject
	}
	if err := s.object(into); err != nil {
		return err
	}
	_, err = s.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return errNotAnObject // something follows
	}
	return err
}

// next is the next byte that is no white space.
func (s *scanner) next() (byte, error) {
	for {
		c, err := s.in.ReadByte()
		if err != nil || c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c, err
		}
	}
}

// sequence reads what stands between brackets, of which the first has been read. item reads one of the things between the commas, which
// begins with first.
func (s *scanner) sequence(end byte, item func(first byte) error) error {
	s.depth++
	if s.depth > maxDepth {
		return errTooDeep
	}
	c, err := s.next()
	if err == nil && c == end {
		s.depth--
		return nil
	}
	for err == nil {
		if err = item(c); err != nil {
			return err
		}
		if c, err = s.next(); err != nil {
			return err
		}
		if c == end {
			s.depth--
			return nil
		}
		if c != ',' {
			return errNotAnObject
		}
		c, err = s.next()
	}
	return err
}

func (s *scanner) object(into *members) error {
	into.set(value{kind: isObject})
	return s.sequence('}', func(first byte) error {
		if first != '"' {
			return errNotAnObject
		}
		return s.member(into)
	})
}

// member reads the rest of a member of object, of whose name the quotation mark has been read.
func (s *scanner) member(object *members) error {
	s.members++
	if s.members > maxMembers {
		return errTooManyMembers
	}
	most := 0
	if object != nil && len(object.inner) > 0 {
		most = maxName
	}
	name, err := s.string(most)
	if err != nil {
		return err
	}
	c, err := s.next()
	if err != nil {
		return err
	}
	if c != ':' {
		return errNotAnObject
	}
	if c, err = s.next(); err != nil {
		return err
	}
	var into *members
	if name.kind == isString {
		into = object.member(name.text)
	}
	into.reset()
	return s.value(c, into)
}

// value reads a value that begins with first.
func (s *scanner) value(first byte, into *members) error {
	most := 0
	if into != nil {
		most = maxText
	}
	var read value
	var err error
	switch {
	case first == '{':
		return s.object(into)
	case first == '[':
		read, err = s.list(into != nil)
	case first == 'n':
		read, err = value{kind: isNull}, s.literal("null")
	case first == 't':
		read, err = value{kind: isBool, yes: true}, s.literal("true")
	case first == 'f':
		read, err = value{kind: isBool}, s.literal("false")
	case first == '"':
		read, err = s.string(most)
	case first == '-' || isDigit(first):
		read, err = s.number(first)
	default:
		return errNotAnObject
	}
	into.set(read)
	return err
}

// list keeps the first of the strings in it, if it is wanted at all.
func (s *scanner) list(wanted bool) (value, error) {
	read := value{kind: isList}
	size := 0
	err := s.sequence(']', func(first byte) error {
		if !wanted || len(read.list) == maxElements || size > maxText {
			return s.value(first, nil)
		}
		var element members
		if err := s.value(first, &element); err != nil {
			return err
		}
		if element.kind == isString {
			read.list = append(read.list, element.text)
			size += len(element.text)
		}
		return nil
	})
	return read, err
}

// literal reads the rest of a word, of which the first letter has been read.
func (s *scanner) literal(word string) error {
	for i := 1; i < len(word); i++ {
		c, err := s.in.ReadByte()
		if err != nil {
			return err
		}
		if c != word[i] {
			return errNotAnObject
		}
	}
	return nil
}

// string reads the rest of a string, of which the quotation mark has been read. It keeps one of up to most bytes, and of a longer one only
// that it is long.
func (s *scanner) string(most int) (value, error) {
	s.raw = append(s.raw[:0], '"')
	plain := true
	for {
		c, err := s.in.ReadByte()
		if err != nil {
			return value{}, err
		}
		if len(s.raw) <= most {
			s.raw = append(s.raw, c)
		}
		switch {
		case c < ' ':
			return value{}, errNotAnObject
		case c == '\\':
			plain = false
			if err := s.escape(most); err != nil {
				return value{}, err
			}
		case c == '"':
			return s.kept(most, plain)
		}
	}
}

// kept decodes the string that was read.
func (s *scanner) kept(most int, plain bool) (value, error) {
	if len(s.raw) > most {
		return value{kind: isLong}, nil
	}
	raw := bytes.ToValidUTF8(s.raw, []byte("\ufffd"))
	if plain {
		return value{kind: isString, text: string(raw[1 : len(raw)-1])}, nil
	}
	read := value{kind: isString}
	if err := json.Unmarshal(raw, &read.text); err != nil {
		return value{}, errNotAnObject
	}
	return read, nil
}

// escape reads the rest of an escape sequence.
func (s *scanner) escape(most int) error {
	c, err := s.in.ReadByte()
	if err != nil {
		return err
	}
	digits := 0
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		digits = 4
	default:
		return errNotAnObject
	}
	for {
		if len(s.raw) <= most {
			s.raw = append(s.raw, c)
		}
		if digits == 0 {
			return nil
		}
		digits--
		if c, err = s.in.ReadByte(); err != nil {
			return err
		}
		if !isHexDigit(c) {
			return errNotAnObject
		}
	}
}

func isHexDigit(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// number reads a number (RFC 8259 section 6), which begins with first. A longer one than maxNumber says nothing.
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

// numberReader reads a number one character after the other. c is the one to be looked at.
type numberReader struct {
	in  *bufio.Reader
	raw []byte
	c   byte
	err error
}

// optional takes the next character if it is one of these.
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

// digits takes the digits that follow, of which there must be one.
func (n *numberReader) digits() bool {
	some := false
	for n.optional("0123456789") {
		some = true
	}
	return some
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
