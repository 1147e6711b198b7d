// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"strings"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// Check validates the request without sending anything. The error is an *Error of kind InvalidKey, InvalidRequest or Unsupported. Private keys are
// not parsed here, since opening them may take a while: Exchange does that.
func (r Request) Check() error {
	if r.step() == nil && r.Flow.Static == nil {
		return &Error{Kind: Unsupported, Detail: "this version does not support the provider"}
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

// checkHeaders checks the values that are sent in headers.
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

// checkAPIHeaders checks the values that API calls send in headers. Templates rely on it: as JSON, visible ASCII is at most twice as long.
func (r Request) checkAPIHeaders() error {
	for _, header := range r.Flow.APIHeaders {
		if !headerSafe(string(r.Values[header.Key])) {
			return invalidKey(header.Key, "must consist of visible ASCII characters, since API calls send it in a header")
		}
	}
	return nil
}

// checkUserID refuses a colon in the user ID, which would end it (RFC 7617 section 2), and credentials that are too long.
func (r Request) checkUserID() error {
	static, step := r.Flow.Static, r.step()
	if static != nil && len(basicCredentials(r.Values[static.Username], r.Values[static.Password])) > MaxSecret {
		return invalidKey(static.Password, "is too long: with the token ID, the credentials exceed 16 KiB")
	}
	raw := step != nil && step.ClientAuth == flow.ClientSecretBasicRaw
	if (static != nil || raw) && strings.Contains(string(r.ClientID()), ":") {
		return invalidKey(r.Flow.ClientIDKey(), "must not contain a colon, since it would end there in HTTP Basic authentication")
	}
	return nil
}
