// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

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
