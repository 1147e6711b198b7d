// Package exchange trades a client's credentials for an access token: one Request in, one Token or *Error out. It never retries, logs,
// stores, or knows Kubernetes.
package exchange

import (
	"context"
	"io"
	"net/http"
	"time"
)

// timeout bounds a whole exchange, from the first lookup to the last byte of the answer.
const timeout = 15 * time.Second

// A provider is one system's way: what to send, and how to read what comes back. It sends at most one request, by the attempt.
type provider func(ctx context.Context, a attempt, req Request) (Token, error)

var providers = map[Provider]provider{
	AdobeServerToServer: adobeServerToServer,
	AdobeServiceAccount: adobeServiceAccount,
	Algonomy:            algonomy,
	Apsis:               apsis,
	Auth0:               auth0,
	Basic:               basic,
	Experiture:          experiture,
	OAuth2:              oauth2,
}

// Exchanger trades a client's credentials for a token. All fields but Keys are required.
type Exchanger struct {
	// Now is the local clock.
	Now func() time.Time
	// Rand is where the jti of an assertion comes from. It must be unpredictable.
	Rand io.Reader
	// Keys opens private keys. Nil: they are opened as they come.
	Keys *Keys
}

// Exchange makes one attempt: at most one HTTP request, by rt, within 15 s or until ctx ends. Redirects are not followed. A failure is
// an *Error, or a *KeyWaitError where nothing was sent yet.
func (e Exchanger) Exchange(ctx context.Context, rt http.RoundTripper, req Request) (Token, error) {
	exchange, ok := providers[req.Provider]
	if !ok {
		return Token{}, &Error{Kind: Unsupported, Detail: "this version does not serve the provider"}
	}
	if err := req.checkWire(); err != nil {
		return Token{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return exchange(ctx, attempt{rt: rt, now: e.Now, rand: e.Rand, keys: e.Keys, secrets: req.secrets(), paths: req.answerPaths()}, req)
}
