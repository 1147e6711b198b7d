// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

const userAgent = "cdp-credential-operator"

// attempt is one exchange in progress.
type attempt struct {
	rt   http.RoundTripper
	now  func() time.Time
	rand io.Reader
	keys *Keys
	req  Request
	step *flow.Step
	// paths are the parts of the answer to read.
	paths []string
	// secrets are what was sent, and must not be shown if the answer repeats it.
	secrets secrets
}

// value returns the value of a source, and false if it is omitted. Values of the client Secret, except the client's ID, are remembered as secrets.
func (a *attempt) value(s flow.Source) (string, bool) {
	secret := a.req.Values[s.Key]
	if s.Key != "" && s.Key != a.req.Flow.ClientIDKey() {
		a.secrets = a.secrets.and(string(secret))
	}
	return a.req.Values.text(s), s.Key == "" || s.Value != "" || secret != ""
}

// send sends req and reads the answer. As it uses the transport and not an http.Client, it cannot follow a redirect. Extra headers replace ours
// and keep their spelling.
func (a *attempt) send(req *http.Request, extra http.Header) (answer, error) {
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
		return seen, nil // 101 has no body, but a connection that would never be closed
	}
	return seen, seen.read(req.Context(), resp.Body, maxBody, a.paths)
}
