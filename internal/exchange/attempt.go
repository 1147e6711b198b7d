package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	xoauth2 "golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const userAgent = "cdp-credential-operator"

// attempt is one exchange under way: it sends one request and keeps what came back.
type attempt struct {
	rt   http.RoundTripper
	now  func() time.Time
	rand io.Reader
	keys *Keys
	// secrets are what is sent, and is not to be seen again.
	secrets secrets
	// paths are what of the answer is wanted.
	paths []string
}

// form sends the request of RFC 6749 section 4.4.2, which golang.org/x/oauth2 builds: form, client authentication and all. The library
// does not get to see the answer, since it decodes all of it, whatever memory that takes, and takes a lifetime of zero for eternity,
// milliseconds for seconds and text/plain for a form, and puts whole bodies into its errors. extra headers win over ours.
func (a attempt) form(ctx context.Context, conf clientcredentials.Config, extra http.Header) (answer, error) {
	seen := &capture{attempt: a, extra: extra}
	client := &http.Client{
		Transport:     seen,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	// The error is either ours, and then in seen, or errSeen.
	_, _ = conf.Token(context.WithValue(ctx, xoauth2.HTTPClient, client))
	if !seen.used {
		return answer{}, unusableURL()
	}
	return seen.answer, seen.err
}

// postForm sends a form that is no RFC 6749 grant.
func (a attempt) postForm(ctx context.Context, address string, form url.Values) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, unusableURL()
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return a.send(req, nil)
}

// json sends body as JSON. extra headers win over ours and keep their spelling.
func (a attempt) json(ctx context.Context, address string, body any, extra http.Header) (answer, error) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return answer{}, &Error{Kind: InvalidRequest, Detail: "the request cannot be written as JSON", Cause: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, &encoded)
	if err != nil {
		return answer{}, unusableURL()
	}
	req.Header.Set("Content-Type", "application/json")
	return a.send(req, extra)
}

// send sends req and reads the answer. Going by the transport and not by an http.Client, it cannot follow a redirect.
func (a attempt) send(req *http.Request, extra http.Header) (answer, error) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	maps.Copy(req.Header, extra)
	seen := answer{sent: a.now(), secrets: a.secrets}
	resp, err := a.rt.RoundTrip(req)
	if err != nil {
		return answer{}, unreachable(req.Context(), err)
	}
	defer resp.Body.Close()
	seen.status, seen.header, seen.received = resp.StatusCode, resp.Header, a.now()
	if resp.StatusCode < http.StatusOK {
		return seen, nil // 101 has no body, but a connection that nobody would ever close
	}
	return seen, seen.read(req.Context(), resp.Body, maxBody, a.paths)
}

// errSeen keeps an answer from golang.org/x/oauth2.
var errSeen = errors.New("the answer has been read")

// capture is the transport that is lent to golang.org/x/oauth2: it lets one request through and keeps the answer.
type capture struct {
	attempt attempt
	extra   http.Header
	used    bool
	answer  answer
	err     error
}

// RoundTrip implements http.RoundTripper.
func (c *capture) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.used {
		return nil, errors.New("one request an exchange")
	}
	c.used = true
	c.answer, c.err = c.attempt.send(req.Clone(req.Context()), c.extra)
	if c.err != nil {
		return nil, c.err
	}
	return nil, errSeen
}

// endpoint is path below base, which may have a path of its own.
func endpoint(base, path string) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", unusableURL()
	}
	return u.JoinPath(path).String(), nil
}
