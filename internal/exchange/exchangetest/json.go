// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// texts reads a string, or a list of them, none empty.
func texts(value any) ([]string, bool) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	var out []string
	for _, item := range list {
		text, ok := item.(string)
		if !ok || text == "" {
			return nil, false
		}
		out = append(out, text)
	}
	return out, len(out) > 0
}

type jsonError string

func (e jsonError) Error() string { return string(e) }

// decodeObject is encoding/json without its leniencies: repeated keys and data behind the object. Numbers are json.Number.
func decodeObject(b []byte) (map[string]any, error) {
	keys := json.NewDecoder(bytes.NewReader(b))
	if open, err := keys.Token(); err != nil || open != json.Delim('{') {
		return nil, jsonError("not an object")
	}
	seen := map[string]bool{}
	for keys.More() {
		key, err := keys.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		if seen[name] {
			return nil, jsonError("repeated key")
		}
		seen[name] = true
		var value json.RawMessage
		if err := keys.Decode(&value); err != nil {
			return nil, err
		}
	}
	if _, err := keys.Token(); err != nil {
		return nil, err
	}
	if _, err := keys.Token(); !errors.Is(err, io.EOF) {
		return nil, jsonError("data behind the object")
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	var fields map[string]any
	err := decoder.Decode(&fields)
	return fields, err
}
