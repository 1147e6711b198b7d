// SPDX-License-Identifier: Apache-2.0

// Package render makes the target Secret's further keys from templates that tenants write. The language is Go's template
// syntax without loops and definitions and with a short list of functions. A template may print secret values and never
// decide on them, so that nothing but the content of the target depends on them. All that is proved by a check of the template
// alone: what passed it cannot fail, whatever the values, and needs no bounds while it runs.
package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
)

// Set is a number of compiled templates. The zero value, and nil, renders nothing. It is safe for concurrent use.
type Set struct {
	keys      []string // sorted, so that of several bad templates always the same one is named
	templates map[string]*template.Template
}

// Compile reads and checks one template for each data key. The error is an *Error that names the key.
func Compile(data map[string]string) (*Set, error) {
	set := &Set{keys: slices.Sorted(maps.Keys(data)), templates: make(map[string]*template.Template, len(data))}
	if len(set.keys) > maxKeys {
		return nil, &Error{Key: set.keys[maxKeys], Why: fmt.Sprintf("there are more than %d templates: remove some", maxKeys)}
	}
	var c checker
	sources, outputs := 0, 0
	for _, key := range set.keys {
		sources += len(data[key])
		if err := checkSource(key, sources); err != nil {
			return nil, err
		}
		tree, output, err := c.check(data[key])
		if err != nil {
			return nil, failure(key, err)
		}
		if outputs += output.size; outputs > maxOutputs {
			return nil, failure(key, errOutput)
		}
		compiled, err := template.New(templateName).Funcs(functions).Option("missingkey=zero").AddParseTree(templateName, tree)
		if err != nil {
			return nil, failure(key, err)
		}
		set.templates[key] = compiled
	}
	return set, nil
}

func checkSource(key string, total int) error {
	switch {
	case !isDataKey(key):
		return &Error{Key: key, Why: "the key is none of a Secret: write letters, digits, '-', '_' and '.', at most 253 characters"}
	case key == "token":
		return &Error{Key: key, Why: "the key token holds the token itself: choose another"}
	case total > maxSources:
		return &Error{Key: key, Why: fmt.Sprintf("the templates together are longer than %d KiB: shorten them", maxSources>>10)}
	}
	return nil
}

// Render executes the templates. An error would be a defect of the check; it holds nothing of the values.
func (s *Set) Render(v Values) (map[string][]byte, error) {
	outputs := map[string][]byte{}
	if s == nil {
		return outputs, nil
	}
	for _, key := range s.keys {
		var output strings.Builder
		if err := s.templates[key].Execute(&output, v.top()); err != nil { // its text may quote a value
			return nil, &Error{Key: key, Why: "the template passed the check and cannot be executed: report this as a defect of the operator"}
		}
		outputs[key] = []byte(output.String())
	}
	return outputs, nil
}
