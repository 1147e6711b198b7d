// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"cmp"
	"fmt"
	"net/http"
	"time"
)

// call is one request while it is judged.
type call struct {
	*store
	signer    *signer
	base      string // Server.URL of the system
	system    System
	path      string
	request   *http.Request // its body is read already
	body      []byte
	behaviour Behaviour
	fault     *Fault    // nil: none
	now       time.Time // true time of arrival
	clock     time.Time // the same by the endpoint's clock
}

// url is the address that was called, as the sender wrote it.
func (c *call) url() string { return "https://" + c.request.Host + c.request.URL.Path }

// lifetime of a client's tokens.
func (c *call) lifetime(client Client) time.Duration {
	return cmp.Or(client.Lifetime, c.behaviour.Lifetime, time.Hour)
}

// sent remembers secrets that came with the request.
func (c *call) sent(values ...string) { c.store.sent(c.now, values...) }

// correlationID is a fresh UUID, or a fixed one if there is no chance left.
func (c *call) correlationID() string {
	b, err := c.random(16)
	if err != nil {
		b = make([]byte, 16)
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// endpoint answers a request: exactly one of its results is not nil.
type endpoint func(*call) (*answer, *refusal)
