package exchange

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
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

// unreadable says why an answer is not read. Anything else that scan returns is an error of the reader below.
type unreadable string

func (u unreadable) Error() string { return string(u) }

const (
	notAnObject    unreadable = "the answer is not a JSON object"
	tooManyMembers unreadable = "the answer has more than 256 members"
	tooDeep        unreadable = "the answer is nested more than 16 levels deep"
	tooLarge       unreadable = "the answer is larger than 1 MiB"
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
		err = notAnObject // it ends too early
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
		return notAnObject
	}
	if err := s.object(into); err != nil {
		return err
	}
	_, err = s.next()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil:
		return notAnObject // something follows
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
		return tooDeep
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
			return notAnObject
		}
		c, err = s.next()
	}
	return err
}

func (s *scanner) object(into *members) error {
	into.set(value{kind: isObject})
	return s.sequence('}', func(first byte) error {
		if first != '"' {
			return notAnObject
		}
		return s.member(into)
	})
}

// member reads the rest of a member of object, of whose name the quotation mark has been read.
func (s *scanner) member(object *members) error {
	s.members++
	if s.members > maxMembers {
		return tooManyMembers
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
		return notAnObject
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
		read, err = value{kind: isNull}, s.literal("ull")
	case first == 't':
		read, err = value{kind: isBool, yes: true}, s.literal("rue")
	case first == 'f':
		read, err = value{kind: isBool}, s.literal("alse")
	case first == '"':
		read, err = s.string(most)
	case first == '-' || isDigit(first):
		read, err = s.number(first)
	default:
		return notAnObject
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

func (s *scanner) literal(rest string) error {
	for i := range len(rest) {
		c, err := s.in.ReadByte()
		if err != nil {
			return err
		}
		if c != rest[i] {
			return notAnObject
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
			return value{}, notAnObject
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
		return value{}, notAnObject
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
		return notAnObject
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
		if !isDigit(c) && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return notAnObject
		}
	}
}

// number reads a number (RFC 8259 section 6), which begins with first. A longer one than maxNumber says nothing.
func (s *scanner) number(first byte) (value, error) {
	s.raw = s.raw[:0]
	c, err := first, error(nil)
	take := func() {
		if len(s.raw) <= maxNumber {
			s.raw = append(s.raw, c)
		}
		c, err = s.in.ReadByte()
	}
	digits := func() bool {
		some := false
		for err == nil && isDigit(c) {
			some = true
			take()
		}
		return some
	}
	if c == '-' {
		take()
	}
	good := true
	if err == nil && c == '0' {
		take()
	} else {
		good = digits()
	}
	if err == nil && c == '.' {
		take()
		good = good && digits()
	}
	if err == nil && (c == 'e' || c == 'E') {
		take()
		if err == nil && (c == '+' || c == '-') {
			take()
		}
		good = good && digits()
	}
	switch {
	case err != nil:
		return value{}, err
	case !good:
		return value{}, notAnObject
	}
	if err := s.in.UnreadByte(); err != nil {
		return value{}, err
	}
	if len(s.raw) > maxNumber {
		return value{kind: isNumber}, nil
	}
	return value{kind: isNumber, text: string(s.raw)}, nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
