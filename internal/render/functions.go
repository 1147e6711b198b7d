package render

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/template"
)

const (
	maxText = 256 << 10 // of one function's result
	maxWork = 8 << 20   // of all functions of one Render, read and written
)

// functionNames are all the functions of the language, as the parser wants them: the values only have to be there. Those
// of the first row are text/template's own, so that and and or stop at the first answer.
var functionNames = map[string]any{
	"len": true, "and": true, "or": true, "not": true, "eq": true, "ne": true, "lt": true, "le": true, "gt": true, "ge": true,
	"index": true, "b64enc": true, "toJson": true, "quote": true, "upper": true, "lower": true, "trim": true, "replace": true, "join": true, "default": true,
}

// functions returns our own functions, in the order of arguments that Sprig and Helm have made usual: the text comes last,
// so that it can be piped in.
func (r *run) functions() template.FuncMap {
	return template.FuncMap{
		"b64enc":  r.text(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"quote":   r.text(strconv.Quote),
		"upper":   r.text(strings.ToUpper),
		"lower":   r.text(strings.ToLower),
		"trim":    r.text(strings.TrimSpace),
		"replace": r.replace,
		"join":    r.join,
		"toJson":  r.toJSON,
		"default": fallback,
		"index":   index,
	}
}

// text wraps a function that makes at most a few times as much text as it is given.
func (r *run) text(f func(string) string) func(string) (string, error) {
	return func(s string) (string, error) {
		if err := r.spend(len(s)); err != nil {
			return "", err
		}
		return r.result(f(s))
	}
}

func (r *run) replace(old, replacement, s string) (string, error) {
	if err := r.spend(len(old) + len(replacement) + len(s)); err != nil {
		return "", err
	}
	if grown := len(s) + strings.Count(s, old)*(len(replacement)-len(old)); grown > maxText {
		return "", errWork // before the memory is spent
	}
	return r.result(strings.ReplaceAll(s, old, replacement))
}

// join takes the list first or last: templates are written both ways, and the types tell them apart.
func (r *run) join(a, b any) (string, error) {
	separator, ok := a.(string)
	list, also := b.([]string)
	if !ok || !also {
		separator, ok = b.(string)
		list, also = a.([]string)
	}
	if !ok || !also {
		return "", errJoin
	}
	size := 0
	for _, s := range list {
		size += len(separator) + len(s)
	}
	if err := r.spend(size); err != nil {
		return "", err
	}
	return r.result(strings.Join(list, separator))
}

// toJSON writes text, numbers, booleans, lists and maps of text. It leaves <, > and & as they are.
func (r *run) toJSON(v any) (string, error) {
	size := 0
	switch v := v.(type) {
	case string:
		size = len(v)
	case []string:
		for _, s := range v {
			size += len(s)
		}
	case map[string]string:
		for name, s := range v {
			size += len(name) + len(s)
		}
	case bool, int, float64, byte:
	default:
		return "", fmt.Errorf("toJson takes no %T", v)
	}
	if err := r.spend(size); err != nil {
		return "", err
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", errors.New("toJson cannot write this value")
	}
	return r.result(strings.TrimSuffix(text.String(), "\n"))
}

// fallback is default: v, unless it is empty, false or zero.
func fallback(instead, v any) any {
	if truth, ok := template.IsTrue(v); !ok || !truth {
		return instead
	}
	return v
}

// index is an element of a list or of a map. Unlike text/template's own it makes an empty text of what is not there, so that
// a template that was tried does not fail later for a token with fewer scopes.
func index(collection, key any) (string, error) {
	switch c := collection.(type) {
	case map[string]string:
		if name, ok := key.(string); ok {
			return c[name], nil
		}
	case []string:
		i, ok := key.(int)
		switch {
		case ok && i >= len(c):
			return "", nil
		case ok && i >= 0:
			return c[i], nil
		}
	}
	return "", errors.New("index takes .scopes and a number from 0, or .headers and a name")
}

func (r *run) spend(size int) error {
	if size > maxText || size > r.workLeft {
		return errWork
	}
	r.workLeft -= size
	return nil
}

func (r *run) result(s string) (string, error) {
	if err := r.spend(len(s)); err != nil {
		return "", err
	}
	return s, nil
}
