// Package render makes the target Secret's further keys from templates that tenants write. The language is Go's template
// syntax without loops and definitions and with a short list of functions, so that every template ends soon, in bounded
// memory, and sees nothing but the values that it is given.
package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
)

const (
	maxKeys         = 64
	maxKeyLength    = 253 // of a Secret's data key
	maxSource       = 64 << 10
	maxSourcesTotal = 256 << 10
	maxOutputTotal  = 256 << 10
)

// Set is a number of compiled templates. The zero value, and nil, renders nothing. It is safe for concurrent use.
type Set struct {
	keys      []string // sorted, so that of several bad templates always the same one is named
	templates map[string]compiled
}

// Compile reads one template for each data key. The error is an *Error that names the key. A Set is not known to work
// before Try has said so.
func Compile(data map[string]string) (*Set, error) {
	set := &Set{keys: slices.Sorted(maps.Keys(data)), templates: make(map[string]compiled, len(data))}
	if len(set.keys) > maxKeys {
		return nil, &Error{Key: set.keys[maxKeys], Why: fmt.Sprintf("there are more than %d templates: remove some", maxKeys)}
	}
	total := 0
	for _, key := range set.keys {
		source := data[key]
		total += len(source)
		switch {
		case !isDataKey(key):
			return nil, &Error{Key: key, Why: "the key is none of a Secret: write letters, digits, '-', '_' and '.', at most 253 characters"}
		case key == "token":
			return nil, &Error{Key: key, Why: "the key token holds the token itself: choose another"}
		case len(source) > maxSource:
			return nil, &Error{Key: key, Why: fmt.Sprintf("the template is longer than %d KiB: shorten it", maxSource>>10)}
		case total > maxSourcesTotal:
			return nil, &Error{Key: key, Why: fmt.Sprintf("the templates together are longer than %d KiB: shorten them", maxSourcesTotal>>10)}
		}
		var err error
		if set.templates[key], err = parseTemplate(source); err != nil {
			return nil, failure(key, err)
		}
	}
	return set, nil
}

// Render executes the templates. All outputs together are at most 256 KiB. The error is an *Error that names the key and
// holds nothing of the values; no output is returned beside it.
func (s *Set) Render(v Values) (map[string][]byte, error) {
	outputs, key, err := s.render(v)
	if err != nil {
		return nil, silentFailure(key, err)
	}
	return outputs, nil
}

// render returns, beside an error, the key whose template failed.
func (s *Set) render(v Values) (outputs map[string][]byte, failed string, err error) {
	outputs = map[string][]byte{}
	if s == nil {
		return outputs, "", nil
	}
	run := &run{outputLeft: maxOutputTotal, workLeft: maxWork}
	for _, key := range s.keys {
		if outputs[key], err = run.execute(s.templates[key].tree, v.top()); err != nil {
			return nil, key, err
		}
	}
	return outputs, "", nil
}

// Try executes the templates with placeholders: once with something in every value and in every header that they name,
// and once without scopes and headers, as they may be missing. A Set that passes will not fail for a token, unless a branch
// that was not tried is bad or the values make the output too large.
func (s *Set) Try() error {
	if s == nil {
		return nil
	}
	full := Values{
		Token:     "placeholder-token",
		TokenType: "Bearer",
		ExpiresAt: time.Unix(0, 0).UTC().Format(time.RFC3339),
		ClientID:  "placeholder-client",
		Scopes:    []string{"placeholder-scope"},
		Headers:   map[string]string{"authorization": "Bearer placeholder-token"},
	}
	for _, template := range s.templates {
		for _, word := range template.words {
			full.Headers[word] = "placeholder-header"
		}
	}
	bare := full
	bare.Scopes, bare.Headers = nil, nil
	for _, v := range []Values{full, bare} {
		if _, key, err := s.render(v); err != nil {
			return failure(key, err)
		}
	}
	return nil
}

// run is what one Render may still spend.
type run struct {
	outputLeft int // bytes of output
	workLeft   int // bytes that functions may read and write
}

func (r *run) execute(tree *parse.Tree, top map[string]any) (output []byte, err error) {
	defer func() {
		if recover() != nil { // its value may hold one of the template's
			output, err = nil, errPanic
		}
	}()
	tmpl, err := template.New(templateName).Funcs(r.functions()).Option("missingkey=zero").AddParseTree(templateName, tree)
	if err != nil {
		return nil, err
	}
	buffer := &boundedBuffer{run: r}
	if err := tmpl.Execute(buffer, top); err != nil {
		return nil, err
	}
	return []byte(buffer.text.String()), nil
}

// boundedBuffer takes what is left of the Render's output and then fails.
type boundedBuffer struct {
	run  *run
	text strings.Builder
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if len(p) > b.run.outputLeft {
		return 0, errOutput
	}
	b.run.outputLeft -= len(p)
	return b.text.Write(p)
}

func isDataKey(key string) bool {
	return key != "" && key != "." && key != ".." && len(key) <= maxKeyLength &&
		strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
}
