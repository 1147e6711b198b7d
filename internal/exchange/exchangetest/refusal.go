// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"fmt"
	"net/http"
)

// refusal is an error answer before it has a vendor's shape. Code is RFC 6749's where the RFC has one.
type refusal struct {
	status            int
	code, description string
	header            http.Header
}

func refuse(status int, code, format string, args ...any) *refusal {
	return &refusal{status: status, code: code, description: fmt.Sprintf(format, args...)}
}

func (r *refusal) with(header, value string) *refusal {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set(header, value)
	return r
}

func invalidRequest(format string, args ...any) *refusal {
	return refuse(http.StatusBadRequest, "invalid_request", format, args...)
}
