// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"bytes"
	"fmt"
	"net/http"
)

// canned is the answer of the call's fault.
func (v vendor) canned(c *call) *answer {
	f := c.fault
	if f.Body == nil && f.Status >= 400 {
		return v.refuse(c, c.refusalOf(f.Status))
	}
	return &answer{status: f.Status, header: http.Header{}, raw: bytes.Clone(f.Body)}
}

// refusalOf is the likeliest refusal with a status.
func (c *call) refusalOf(status int) *refusal {
	no := refuse(status, "invalid_request", "%s", http.StatusText(status))
	switch {
	case status == http.StatusUnauthorized && c.path == APIPath:
		no.with("WWW-Authenticate", `Bearer error="invalid_token"`).code = "invalid_token"
	case status == http.StatusForbidden && c.path == APIPath:
		no.with("WWW-Authenticate", `Bearer error="insufficient_scope"`).code = "insufficient_scope"
	case status == http.StatusUnauthorized:
		no.code = "invalid_client"
	case status == http.StatusForbidden:
		no.code = "access_denied"
	case status == http.StatusTooManyRequests:
		no.code = "too_many_requests"
	case status >= 500:
		no.code = "temporarily_unavailable"
	}
	if c.system == Adobe && c.path == APIPath {
		no.code = fmt.Sprintf("%d000", status) // the gateway's codes begin with the status
	}
	return no
}

// remember records the tokens that a fault has put instead of the issued one.
func (c *call) rememberSpoilt(a *answer) {
	if c.fault == nil {
		return
	}
	for _, value := range a.fields {
		if text, ok := value.(string); ok && len(text) >= 16 {
			c.sent(text)
		}
	}
}
