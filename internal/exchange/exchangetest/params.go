// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// params are a request's parameters, each with at least one value, none of them empty.
type params map[string][]string

func (p params) get(name string) string {
	if len(p[name]) == 0 {
		return ""
	}
	return p[name][0]
}

func (p params) has(name string) bool { return len(p[name]) > 0 }

// only refuses parameters that are not named.
func (p params) only(names ...string) *refusal {
	for name := range p {
		if !slices.Contains(names, name) {
			return invalidRequest("unknown parameter %q", name)
		}
	}
	return nil
}

// need refuses a request that lacks a parameter.
func (p params) need(names ...string) *refusal {
	for _, name := range names {
		if !p.has(name) {
			return invalidRequest("parameter %q is missing", name)
		}
	}
	return nil
}

// clientCredentials refuses any other grant.
func (p params) clientCredentials() *refusal {
	if no := p.need("grant_type"); no != nil {
		return no
	}
	if grant := p.get("grant_type"); grant != "client_credentials" {
		return refuse(http.StatusBadRequest, "unsupported_grant_type", "grant type %q is not supported", grant)
	}
	return nil
}

// posted refuses everything but a POST of one of the media types, without a query: RFC 6749 wants parameters in the body.
func (c *call) posted(mediaTypes ...string) (mediaType, boundary string, no *refusal) {
	if c.request.Method != http.MethodPost {
		return "", "", refuse(http.StatusMethodNotAllowed, "invalid_request", "use POST").with("Allow", http.MethodPost)
	}
	if c.request.URL.RawQuery != "" {
		return "", "", invalidRequest("parameters belong into the body")
	}
	mediaType, options, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(mediaTypes, mediaType) || len(c.request.Header.Values("Content-Type")) != 1 {
		return "", "", refuse(http.StatusUnsupportedMediaType, "invalid_request", "the content type must be %s", strings.Join(mediaTypes, " or "))
	}
	if charset := options["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return "", "", refuse(http.StatusUnsupportedMediaType, "invalid_request", "the charset must be UTF-8")
	}
	return mediaType, options["boundary"], nil
}

// form reads a form. A parameter may come only once (RFC 6749 section 3.2), but for resource (RFC 8707), and must have a value.
func (c *call) form(mediaTypes ...string) (params, *refusal) {
	mediaType, boundary, no := c.posted(mediaTypes...)
	if no != nil {
		return nil, no
	}
	var values url.Values
	var err error
	if mediaType == mediaMultipart {
		values, err = multipartValues(c.body, boundary)
	} else {
		values, err = url.ParseQuery(string(c.body))
	}
	if err != nil {
		return nil, invalidRequest("the form cannot be read")
	}
	for name, given := range values {
		if len(given) > 1 && name != "resource" {
			return nil, invalidRequest("parameter %q is repeated", name)
		}
		if slices.Contains(given, "") {
			return nil, invalidRequest("parameter %q is empty", name)
		}
	}
	return params(values), nil
}

func multipartValues(body []byte, boundary string) (url.Values, error) {
	values := url.Values{}
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, err
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		values.Add(part.FormName(), string(value))
	}
}

// object reads a JSON object. Its keys are case sensitive, and may not be repeated.
func (c *call) object() (map[string]any, *refusal) {
	if _, _, no := c.posted(mediaJSON); no != nil {
		return nil, no
	}
	fields, err := decodeObject(c.body)
	if err != nil {
		return nil, invalidRequest("the body must be one JSON object without repeated keys")
	}
	return fields, nil
}

// jsonParams reads a JSON object of non-empty strings; resource may be a list of them.
func (c *call) jsonParams() (params, *refusal) {
	fields, no := c.object()
	if no != nil {
		return nil, no
	}
	p := params{}
	for name, value := range fields {
		given, ok := texts(value)
		if !ok || (len(given) > 1 && name != "resource") {
			return nil, invalidRequest("parameter %q must be a non-empty string", name)
		}
		p[name] = given
	}
	return p, nil
}

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
