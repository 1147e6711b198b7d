// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxBody is how much of an answer is read. What is longer is no token answer.
const maxBody = 1 << 20

// maxDrained is how much more of it is read when it is of no use, so that the connection can be used again: an error page of a proxy, say.
const maxDrained = 64 << 10

// answer is what an endpoint said.
type answer struct {
	// sent and received are on the local clock.
	sent, received time.Time
	status         int
	header         http.Header
	// said is what the body said, as far as it is wanted. Nothing: it could not be read, or was no JSON object.
	said *members
	// problem says why the body was not read. Empty: it was.
	problem bodyError
	// secrets are what was sent to get the answer.
	secrets secrets
}

func (a answer) ok() bool { return a.status >= 200 && a.status <= 299 }

// date is the endpoint's clock when it answered (RFC 9110 section 6.6.1). Zero: it did not say.
func (a answer) date() time.Time {
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}

// read reads of a body, up to limit bytes, what is wanted. An error is that of a connection that broke while an answer of use was on its
// way.
func (a *answer) read(ctx context.Context, body io.Reader, limit int64, paths []string) error {
	a.said = wanted(paths...)
	bounded := &io.LimitedReader{R: body, N: limit + 1}
	err := scan(bounded, a.said)
	problem, ok := errors.AsType[bodyError](err)
	switch {
	case bounded.N == 0:
		a.problem = errTooLarge
		a.said.reset()
	case err == nil:
	case ok:
		a.problem = problem
		_, _ = io.CopyN(io.Discard, body, min(bounded.N, maxDrained))
	case a.ok():
		return unreachable(ctx, err)
	default:
		a.problem = errNotAnObject
	}
	return nil
}
