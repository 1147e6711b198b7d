// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

const redacted = "REDACTED"

// A SentRequest is a request as it was sent, without what could be secret.
type SentRequest struct {
	Method  string `json:"method"`
	URL     string `json:"url"`
	Headers []Part `json:"headers"`
	// Body are the parameters of a form, or the members of a JSON object.
	Body []Part `json:"body,omitempty"`
}

// A Part is a header, a parameter or a member.
type Part struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A SeenAnswer is an answer without its values: names and kinds only.
type SeenAnswer struct {
	Status      int    `json:"status"`
	ContentType string `json:"contentType,omitempty"`
	Shape       []Part `json:"shape,omitempty"`
}

// hidden are the texts that must not be shown: what the client Secret holds, and the token.
type hidden []string

// secretsOf gathers them, also as they look in a URL, in JSON and in base64.
func secretsOf(secret *corev1.Secret, got exchange.Token) hidden {
	var all hidden
	for _, value := range append(slices.Collect(maps.Values(secret.Data)), []byte(got.Value)) {
		text := strings.TrimSpace(string(value))
		if text == "" {
			continue
		}
		quoted, err := json.Marshal(text)
		if err == nil {
			all = append(all, strings.Trim(string(quoted), `"`))
		}
		all = append(all, text, url.QueryEscape(text), base64.StdEncoding.EncodeToString([]byte(text)))
	}
	return all
}

const maxShown = 80

// show gives a text that comes from others, unless a secret is in it.
func (h hidden) show(text string) string {
	if slices.ContainsFunc(h, func(secret string) bool { return strings.Contains(text, secret) }) {
		return redacted
	}
	return clip(plain(text), maxShown)
}

// recorder keeps what goes over the wire of one exchange.
type recorder struct {
	next http.RoundTripper

	sent     *http.Request
	body     []byte
	response *http.Response
	said     bytes.Buffer
}

// maxKept is how much of an answer is kept to tell its shape. The exchange reads up to a MiB.
const maxKept = 1 << 20

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.sent = request.Clone(request.Context())
	if request.GetBody != nil {
		if body, err := request.GetBody(); err == nil {
			r.body, _ = io.ReadAll(body)
		}
	}
	response, err := r.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	r.response = response
	response.Body = &teeBody{Reader: io.TeeReader(response.Body, &bounded{&r.said, maxKept}), Closer: response.Body}
	return response, nil
}

type teeBody struct {
	io.Reader
	io.Closer
}

// bounded drops what is more than it may keep.
type bounded struct {
	to   *bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	keep := min(len(p), b.left)
	b.to.Write(p[:keep])
	b.left -= keep
	return len(p), nil
}

// plainHeaders and plainParameters are those whose values the specification fixes, or the object says. Others are not shown: a user may have put
// anything there.
var (
	plainHeaders    = []string{"Accept", "Content-Type", "Content-Length", "User-Agent"}
	plainParameters = []string{"grant_type", "scope", "audience", "resource", "client_assertion_type", "response_type"}
)

// request is nil if nothing was sent.
func (r *recorder) request(h hidden) *SentRequest {
	if r.sent == nil {
		return nil
	}
	address := *r.sent.URL
	if address.RawQuery != "" {
		address.RawQuery = redacted
	}
	shown := &SentRequest{Method: r.sent.Method, URL: h.show(address.String())}
	for _, name := range slices.Sorted(maps.Keys(r.sent.Header)) {
		value := strings.Join(r.sent.Header[name], ", ")
		scheme, _, hasScheme := strings.Cut(value, " ")
		switch {
		case slices.Contains(plainHeaders, name):
			value = h.show(value)
		case name == "Authorization" && hasScheme:
			value = h.show(scheme) + " " + redacted
		default:
			value = redacted
		}
		shown.Headers = append(shown.Headers, Part{h.show(name), value})
	}
	shown.Body = bodyParts(r.sent.Header.Get("Content-Type"), r.body, h)
	return shown
}

func bodyParts(contentType string, body []byte, h hidden) []Part {
	var parts []Part
	add := func(name, value string) {
		if !slices.Contains(plainParameters, name) {
			value = redacted
		}
		parts = append(parts, Part{h.show(name), h.show(value)})
	}
	media, _, _ := mime.ParseMediaType(contentType)
	switch media {
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			for _, value := range values[name] {
				add(name, value)
			}
		}
	case "application/json":
		var members map[string]any
		if json.Unmarshal(body, &members) != nil {
			return nil
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			add(name, fmt.Sprint(members[name]))
		}
	}
	return parts
}

// answer is nil if there was none.
func (r *recorder) answer(h hidden) *SeenAnswer {
	if r.response == nil {
		return nil
	}
	media, _, _ := mime.ParseMediaType(r.response.Header.Get("Content-Type"))
	shown := &SeenAnswer{Status: r.response.StatusCode, ContentType: h.show(media)}
	var said any
	if json.Unmarshal(r.said.Bytes(), &said) == nil {
		shown.Shape = shapeOf("", said, h, 0)
	}
	return shown
}

const (
	maxDepth   = 4
	maxMembers = 40
)

// shapeOf says what members an answer has, and of what kind they are.
func shapeOf(path string, said any, h hidden, depth int) []Part {
	object, ok := said.(map[string]any)
	if !ok || depth == maxDepth {
		return []Part{{cmp.Or(path, "."), kindOf(said, h)}}
	}
	var parts []Part
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if len(parts) >= maxMembers {
			return append(parts, Part{"…", "more members"})
		}
		inner := h.show(name)
		if path != "" {
			inner = path + "." + inner
		}
		parts = append(parts, shapeOf(inner, object[name], h, depth+1)...)
	}
	return parts
}

func kindOf(said any, h hidden) string {
	switch value := said.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case []any:
		return fmt.Sprintf("list of %d", len(value))
	case string:
		if names := claimNames(value, h); len(names) > 0 {
			return "string, a JWT with the claims " + strings.Join(names, ", ")
		}
		return "string"
	}
	return "object"
}

// claimNames are those of a JWT. Nil: it is none.
func claimNames(text string, h hidden) []string {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil
	}
	content, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var claims map[string]any
	if json.Unmarshal(content, &claims) != nil {
		return nil
	}
	var names []string
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		names = append(names, h.show(name))
	}
	return names[:min(len(names), maxMembers)]
}
