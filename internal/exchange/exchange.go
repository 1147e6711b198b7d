// SPDX-License-Identifier: Apache-2.0

// Package exchange carries a flow out: one Request in, one Token or *Error out. It knows no vendor, and never retries, logs, stores, or knows
// Kubernetes.
package exchange

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// timeout bounds a whole exchange, from the first lookup to the last byte of the answer.
const timeout = 15 * time.Second

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
	if req.HeldToken != "" {
		return updated(got, step.Response, req.HeldToken)
	}
	return reading{Response: step.Response, requested: step.Scopes}.token(got)
}

// updated is the held token again, whose lifetime stays as it is, so that Life is zero. Whatever refuses an update is Rejected: a new token will do.
func updated(got answer, response flow.Response, held Secret) (Token, error) {
	if got.status >= 400 && got.status <= 499 && got.status != http.StatusTooManyRequests {
		return Token{}, got.failure(Rejected, "the endpoint refused to update the held token")
	}
	token, err := reading{Response: response}.token(got)
	if err != nil {
		return Token{}, err
	}
	if token.Value != held {
		return Token{}, got.failure(Rejected, "the endpoint did not update the held token but gave another one")
	}
	return Token{Value: token.Value, Type: token.Type}, nil
}
