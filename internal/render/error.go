package render

import (
	"errors"
	"fmt"
	"strings"
	"text/template"
	"unicode"
)

const maxWhy = 200

// Error says what is wrong with the template of one data key, in one line that is safe to show: it may hold a piece of the
// template, but nothing of the values. The author of the template can mend it.
type Error struct {
	Key string
	Why string
}

func (e *Error) Error() string { return fmt.Sprintf("template of data key %.253q: %s", e.Key, e.Why) }

var (
	errOutput = errors.New("the outputs together are larger than 256 KiB: shorten them")
	errWork   = errors.New("the functions handle too much text: simplify the template")
	errJoin   = errors.New("join takes a separator and a list, such as join \" \" .scopes")
	errPanic  = errors.New("the template cannot be executed: simplify it")
)

// failure keeps of err what helps the author: text/template tells the place and quotes the template. It is for errors
// that cannot know a real value, those of Compile and Try.
func failure(key string, err error) *Error {
	if bound, ok := boundOf(err); ok {
		return &Error{Key: key, Why: bound.Error()}
	}
	why := strings.TrimPrefix(err.Error(), "template: ")
	why = strings.ReplaceAll(why, `executing "`+templateName+`" at `, "at ")
	why = strings.ReplaceAll(why, templateName+":", "line ")
	if _, ok := errors.AsType[template.ExecError](err); ok {
		why = "guard what may be missing with if or with: " + why
	}
	return &Error{Key: key, Why: oneLine(why)}
}

// silentFailure is failure for a Render: there text/template may quote a value, as eq does with a list or a map.
func silentFailure(key string, err error) *Error {
	if bound, ok := boundOf(err); ok {
		return &Error{Key: key, Why: bound.Error()}
	}
	return &Error{Key: key, Why: "it works with placeholders but not with the token's own values: guard what may be missing with if or with"}
}

func boundOf(err error) (bound error, ok bool) { //nolint:revive // the error is the answer, and not a failure
	for _, bound := range []error{errOutput, errWork, errPanic} {
		if errors.Is(err, bound) {
			return bound, true
		}
	}
	return nil, false
}

// oneLine returns text without control characters, cut to a length that a status can bear.
func oneLine(text string) string {
	var line strings.Builder
	for _, r := range text {
		if !unicode.IsPrint(r) {
			r = ' '
		}
		if line.Len() > maxWhy-len("…")-4 {
			line.WriteString("…")
			break
		}
		line.WriteRune(r)
	}
	return line.String()
}
