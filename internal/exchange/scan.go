// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bufio"
	"errors"
	"io"
)

// scan reads the JSON object that is all of in. The Content-Type is not considered: servers send JSON as text/plain and text/html, and with a byte
// order mark.
func scan(in io.Reader, into *members) error {
	s := &scanner{in: bufio.NewReader(in)}
	err := s.document(into)
	if errors.Is(err, io.EOF) {
		err = errNotAnObject // it is truncated
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

// next returns the next byte that is not white space.
func (s *scanner) next() (byte, error) {
	for {
		c, err := s.in.ReadByte()
		isSpace := c == ' ' || c == '\t' || c == '\n' || c == '\r'
		if err != nil || !isSpace {
			return c, err
		}
	}
}

// sequence reads a comma-separated sequence up to the closing bracket end; the opening one has been read. item reads one element, which begins with
// first.
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

// member reads a member of object. The opening quotation mark of its name has been read.
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

// list reads a list and keeps its first strings if it is wanted.
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

// literal reads the rest of a word, whose first letter has been read.
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
