// SPDX-License-Identifier: Apache-2.0

// Package exchange carries out a flow: one Request in, one Token or *Error out. It knows neither vendors nor Kubernetes, and never retries, logs or
// stores anything.
package exchange

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// timeout bounds a whole exchange, from the DNS lookup to the last byte of the answer.
const timeout = 15 * time.Second

// Exchanger exchanges a client's credentials for a token. All fields except Keys are required.
type Exchanger struct {
	// Now is the local clock.
	Now func() time.Time
	// Rand is the source of an assertion's jti. It must be unpredictable.
	Rand io.Reader
	// Keys opens private keys, one at a time. Nil: each is opened when it is needed.
	Keys *Keys
}

// Exchange makes one attempt: at most one HTTP request, sent by rt, within 15 s and until ctx is done. Redirects are not followed. The error is
// an *Error, or a *KeyWaitError if nothing was sent yet.
func (e Exchanger) Exchange(ctx context.Context, rt http.RoundTripper, req Request) (Token, error) {
	if err := req.Check(); err != nil {
		return Token{}, err
	}
	if static := req.Flow.Static; static != nil {
		return Token{Value: Secret(basicCredentials(req.Values[static.Username], req.Values[static.Password])), Type: "Basic"}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	step := req.step()
	a := &attempt{rt: rt, now: e.Now, rand: e.Rand, keys: e.Keys, req: req, step: step, paths: answerPaths(step.Response)}
	got, err := a.carryOut(ctx)
	if err != nil {
		return Token{}, err
	}
	if req.CurrentToken != "" {
		return updated(got, step.Response, req.CurrentToken)
	}
	return reading{Response: step.Response, requested: step.Scopes}.token(got)
}

// updated returns the current token. An update does not change its lifetime, so Life is zero. Any refusal is Rejected, since a new token can be
// requested instead.
func updated(got answer, response flow.Response, current Secret) (Token, error) {
	clientError := got.status >= 400 && got.status <= 499
	if clientError && got.status != http.StatusTooManyRequests {
		return Token{}, got.failure(Rejected, "the endpoint refused to update the current token")
	}
	token, err := reading{Response: response}.token(got)
	if err != nil {
		return Token{}, err
	}
	if token.Value != current {
		return Token{}, got.failure(Rejected, "the endpoint returned another token instead of updating the current one")
	}
	return Token{Value: token.Value, Type: token.Type}, nil
}
