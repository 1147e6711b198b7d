// SPDX-License-Identifier: Apache-2.0

package render

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

const (
	maxWhy = 200 // bytes
	// templateName is the name under which templates are parsed. Users do not see it: syntaxError takes it out.
	templateName = "data-template"
)

// Error says what is wrong with the template of one data key and what to write, in one line that is safe to show: it may hold a
// piece of the template, but nothing of the values, which the check never sees.
type Error struct {
	Key string
	Why string
}

func (e *Error) Error() string {
	if isDataKey(e.Key) {
		return e.Key + ": " + e.Why
	}
	return fmt.Sprintf("%.253q: %s", e.Key, e.Why)
}

// isDataKey reports whether a Secret can have the data key.
func isDataKey(key string) bool {
	isPath := key == "." || key == ".."
	return key != "" && !isPath && len(key) <= maxKeyLength &&
		strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}

var (
	errDepth  = fmt.Errorf("the template is nested deeper than %d: simplify it", maxDepth)
	errText   = errors.New("the functions can produce too much text: a token counts as 16 KiB, and each function as the most it can produce; use fewer")
	errOutput = errors.New("the outputs together can be larger than 256 KiB, as each token, client ID and header counts as 16 KiB: print less")
)

// A lineError says where in a template of several lines the error is.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }

func (e *lineError) Unwrap() error { return e.err }

// syntaxError is the parser's error, with what to write where it can be told.
func syntaxError(err error) error {
	why := strings.TrimPrefix(err.Error(), "template: ")
	why = strings.ReplaceAll(why, templateName+":", "line ")
	switch {
	case strings.Contains(why, "function ") && strings.HasSuffix(why, " not defined"):
		why = shorten(why, 64) + "; use index, len, and, or, not, eq, ne, lt, le, gt, ge, b64enc, toJson, quote, upper, lower, trim, replace, join or default"
	case strings.Contains(why, "bad character U+002D '-'"):
		why += `; for a name with a dash write index .headers "x-api-key"`
	}
	return errors.New(why)
}

func failure(key string, err error) *Error { return &Error{Key: key, Why: oneLine(err.Error())} }

// oneLine returns text without control characters, cut to a length that a status can bear.
func oneLine(text string) string { return shorten(text, maxWhy) }

func shorten(text string, size int) string {
	var line strings.Builder
	for _, r := range text {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		if line.Len() > size-len("…")-4 {
			line.WriteString("…")
			break
		}
		line.WriteRune(r)
	}
	return line.String()
}
