// SPDX-License-Identifier: Apache-2.0

package render

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"text/template"
)

// functions are those of the language, in the order of arguments that Sprig and Helm have made usual: the text comes last, so
// that it can be piped in. Each gives an answer for whatever its rule lets through. and, or, not and len are text/template's own.
var functions = template.FuncMap{
	"b64enc":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"quote":   strconv.Quote,
	"upper":   strings.ToUpper,
	"lower":   strings.ToLower,
	"trim":    strings.TrimSpace,
	"replace": func(old, replacement, s string) string { return strings.ReplaceAll(s, old, replacement) },
	"join":    join,
	"toJson":  toJSON,
	"default": fallback,
	"index":   index,
	"eq":      equal,
	"ne":      func(a, b any) bool { return !equal(a, b) },
	"lt":      func(a, b any) bool { order, ok := compare(a, b); return ok && order < 0 },
	"le":      func(a, b any) bool { order, ok := compare(a, b); return ok && order <= 0 },
	"gt":      func(a, b any) bool { order, ok := compare(a, b); return ok && order > 0 },
	"ge":      func(a, b any) bool { order, ok := compare(a, b); return ok && order >= 0 },
}

func join(a, b any) string {
	if texts, ok := a.([]string); ok {
		a, b = b, texts
	}
	separator, _ := a.(string)
	texts, _ := b.([]string)
	return strings.Join(texts, separator)
}

// toJSON leaves <, > and & as they are.
func toJSON(v any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // texts, numbers, booleans, lists and maps of texts: nothing that can fail
	return strings.TrimSuffix(text.String(), "\n")
}

// fallback is default: v, unless it is empty, false or zero.
func fallback(instead, v any) any {
	if truth, _ := template.IsTrue(v); !truth {
		return instead
	}
	return v
}

// index is an element of a list or of a map; an empty text where there is none.
func index(of, key any) string {
	switch of := of.(type) {
	case map[string]string:
		name, _ := key.(string)
		return of[name]
	case []string:
		if i, ok := key.(int); ok && i >= 0 && i < len(of) {
			return of[i]
		}
	}
	return ""
}

// equal reports whether a is equal to any of the others. Values of different types are not equal.
func equal(a any, others ...any) bool {
	for _, b := range others {
		if order, ok := compare(a, b); ok && order == 0 {
			return true
		}
	}
	return false
}

// compare orders two texts or two numbers; booleans it only tells apart.
func compare(a, b any) (order int, ok bool) {
	switch a := a.(type) {
	case string:
		b, ok := b.(string)
		return strings.Compare(a, b), ok
	case bool:
		b, ok := b.(bool)
		if a == b {
			return 0, ok
		}
		return 1, ok
	}
	x, ok := toFloat(a)
	y, also := toFloat(b)
	return cmp.Compare(x, y), ok && also
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
