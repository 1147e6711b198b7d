// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	xoauth2 "golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// carryOut sends the step's request and returns the answer.
func (a *attempt) carryOut(ctx context.Context) (answer, error) {
	headers := http.Header{}
	for _, header := range a.step.Headers {
		value, ok := a.value(header.Source)
		switch {
		case !ok:
		case header.Exact:
			headers[header.Name] = []string{value}
		default:
			headers.Set(header.Name, value)
		}
	}
	body, err := a.body(ctx)
	if err != nil {
		return answer{}, err
	}
	if err := a.authenticate(ctx, body, headers); err != nil {
		return answer{}, err
	}
	if a.step.Encoding != flow.JSON && a.step.GrantType != "" {
		return a.grant(ctx, body, headers)
	}
	if body.basic {
		headers.Set("Authorization", "Basic "+formEncodedCredentials(Secret(body.id), Secret(body.secret)))
	}
	if a.step.Encoding == flow.JSON {
		return a.json(ctx, body.members(), headers)
	}
	return a.form(ctx, body.values(), headers)
}

// grant sends the request of RFC 6749 section 4.4.2, which golang.org/x/oauth2 builds, including the client's authentication. The library does not
// get the answer: it would decode all of it, whatever memory that takes, take a lifetime of zero as forever, milliseconds as seconds and
// text/plain as a form, and put whole bodies into its errors.
func (a *attempt) grant(ctx context.Context, b *body, headers http.Header) (answer, error) {
	conf := clientcredentials.Config{TokenURL: a.step.URL, ClientID: b.id, ClientSecret: b.secret, EndpointParams: b.values(), AuthStyle: xoauth2.AuthStyleInParams}
	if b.basic {
		conf.AuthStyle = xoauth2.AuthStyleInHeader
	}
	seen := &capture{attempt: a, extra: headers}
	client := &http.Client{
		Transport:     seen,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// The error is errSeen, or ours and then also in seen.
	_, _ = conf.Token(context.WithValue(ctx, xoauth2.HTTPClient, client))
	if !seen.used {
		return answer{}, unusableURL()
	}
	return seen.answer, seen.err
}

// form sends a form that is not a grant of RFC 6749.
func (a *attempt) form(ctx context.Context, form url.Values, headers http.Header) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.step.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, unusableURL()
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return a.send(req, headers)
}

// json sends content as JSON.
func (a *attempt) json(ctx context.Context, content map[string]any, headers http.Header) (answer, error) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(content); err != nil {
		return answer{}, &Error{Kind: InvalidRequest, Detail: "the request cannot be encoded as JSON", Cause: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.step.URL, &encoded)
	if err != nil {
		return answer{}, unusableURL()
	}
	req.Header.Set("Content-Type", "application/json")
	return a.send(req, headers)
}

// errSeen withholds an answer from golang.org/x/oauth2.
var errSeen = errors.New("the answer has been read")

// capture is the transport for golang.org/x/oauth2: it sends one request and keeps the answer.
type capture struct {
	attempt *attempt
	extra   http.Header
	used    bool
	answer  answer
	err     error
}

// RoundTrip implements http.RoundTripper.
func (c *capture) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.used {
		return nil, errors.New("an exchange sends only one request")
	}
	c.used = true
	c.answer, c.err = c.attempt.send(req.Clone(req.Context()), c.extra)
	if c.err != nil {
		return nil, c.err
	}
	return nil, errSeen
}
