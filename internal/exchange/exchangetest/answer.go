// SPDX-License-Identifier: Apache-2.0

package exchangetest

import "net/http"

const (
	mediaForm      = "application/x-www-form-urlencoded"
	mediaJSON      = "application/json"
	mediaMultipart = "multipart/form-data"
	mediaProblem   = "application/problem+json"
)

// answer is what will be sent: fields as a JSON object, else raw.
type answer struct {
	status  int
	header  http.Header
	fields  map[string]any
	raw     []byte
	rewrite func([]byte) []byte // nil: as it is
}

// good is an answer without an error. Tokens are not for caches (RFC 6749 section 5.1).
func good(fields map[string]any) *answer {
	return &answer{
		status: http.StatusOK,
		header: http.Header{"Content-Type": {mediaJSON}, "Cache-Control": {"no-store"}, "Pragma": {"no-cache"}},
		fields: fields,
	}
}
