// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"maps"
	"net/http"
)

// vendor is what one system does: an endpoint for each path, and the form of its errors.
type vendor struct {
	endpoints map[string]endpoint
	// shape is the vendor's error body for a refusal, and its headers. Nil: RFC 6749's error and error_description.
	shape func(*call, *refusal) (fields map[string]any, header http.Header)
}

// refuse gives a refusal the form of the vendor's errors.
func (v vendor) refuse(c *call, no *refusal) *answer {
	fields, header := map[string]any{"error": no.code, "error_description": no.description}, http.Header{}
	if v.shape != nil {
		fields, header = v.shape(c, no)
	}
	a := &answer{status: no.status, header: http.Header{"Content-Type": {mediaJSON}, "Cache-Control": {"no-store"}}, fields: fields}
	maps.Copy(a.header, header)
	maps.Copy(a.header, no.header)
	return a
}
