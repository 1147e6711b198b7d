// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"encoding/json"
)

// string reads a string, whose opening quotation mark has been read. A string of more than most bytes is reduced to isLong.
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

// kept decodes the string in raw.
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
