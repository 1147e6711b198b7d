// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// maxBody is how many bytes of an answer are read. A longer one is not a token answer.
const maxBody = 1 << 20

// maxDrained is how many bytes of a useless answer, such as a proxy's error page, are read so that the connection can be reused.
const maxDrained = 64 << 10

// answer is what an endpoint answered.
type answer struct {
	// sent and received are on the local clock.
	sent, received time.Time
	status         int
	header         http.Header
	// said has the requested members of the body. Nil or empty: it could not be read, or was not a JSON object.
	said *members
	// problem is why the body was not read. Empty: it was.
	problem bodyError
	// secrets are those that were sent.
	secrets secrets
}

func (a answer) ok() bool { return a.status >= 200 && a.status <= 299 }

// date is the endpoint's time when it answered (RFC 9110 section 6.6.1). Zero: unknown.
func (a answer) date() time.Time {
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return date
}

// read reads the members under paths from a body of at most limit bytes. An error means that the connection broke during a 2xx answer.
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
