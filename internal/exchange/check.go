// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// Check says, without sending anything, whether the request could be sent: an *Error of kind InvalidKey, InvalidRequest or Unsupported
// if not. Private keys are not looked at: that may take a while, and is done by the exchange.
func (r Request) Check() error {
	if r.step() == nil && r.Flow.Static == nil {
		return &Error{Kind: Unsupported, Detail: "this version does not serve the provider"}
	}
	if err := r.checkLengths(); err != nil {
		return err
	}
	if invalid := r.Flow.Check(); invalid != nil {
		return invalidRequest(invalid.Field, invalid.Detail)
	}
	for _, check := range []func() error{r.checkHeaders, r.checkAPIHeaders, r.checkUserID} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (r Request) checkLengths() error {
	for _, key := range r.Flow.Keys {
		if len(r.Values[key.Field]) > MaxSecret {
			return invalidKey(key.Field, "is longer than 16 KiB")
		}
	}
	return nil
}

// checkHeaders looks at the values that are sent in headers.
func (r Request) checkHeaders() error {
	var fields []string
	if step := r.step(); step != nil {
		for _, header := range step.Headers {
			fields = append(fields, header.Key)
		}
	}
	if static := r.Flow.Static; static != nil {
		fields = append(fields, static.Username, static.Password)
	}
	for _, field := range fields {
		if !flow.IsHeaderValue(string(r.Values[field])) {
			return invalidKey(field, "must not contain a line break or another control character")
		}
	}
	return nil
}

// checkAPIHeaders looks at the values that calls of the API send in headers. Templates count on it: of visible ASCII JSON is at most twice as long.
func (r Request) checkAPIHeaders() error {
	for _, header := range r.Flow.APIHeaders {
		if !headerSafe(string(r.Values[header.Key])) {
			return invalidKey(header.Key, "must be of visible ASCII characters, since calls of the API have it in a header")
		}
	}
	return nil
}

// checkUserID refuses a colon where RFC 7617 section 2 ends the user ID with one, and credentials that are too long.
func (r Request) checkUserID() error {
	static, step := r.Flow.Static, r.step()
	if static != nil && len(basicCredentials(r.Values[static.Username], r.Values[static.Password])) > MaxSecret {
		return invalidKey(static.Password, "makes credentials of more than 16 KiB, together with the token ID: use shorter ones")
	}
	raw := step != nil && step.ClientAuth == flow.ClientSecretBasicRaw
	if (static != nil || raw) && strings.Contains(string(r.ClientID()), ":") {
		return invalidKey(r.Flow.ClientIDKey(), "must not contain a colon, since HTTP Basic authentication ends it there")
	}
	return nil
}
