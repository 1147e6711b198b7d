// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
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

// shape gives a refusal the form of the system's errors.
func (c *call) shape(no *refusal) *answer {
	header := http.Header{"Content-Type": {mediaJSON}, "Cache-Control": {"no-store"}}
	fields := map[string]any{"error": no.code, "error_description": no.description}
	switch c.system {
	case Adobe:
		header.Set("X-Debug-Id", c.correlationID())
		if c.path == APIPath { // the gateway's errors, not IMS'
			fields = map[string]any{"error_code": no.code, "message": no.description}
		}
	case Algonomy:
		fields = map[string]any{"status": "ERROR", "message": no.description}
	case Apsis:
		header.Set("Content-Type", mediaProblem)
		fields = map[string]any{"status": no.status, "title": http.StatusText(no.status), "detail": no.description}
	case Auth0:
		if no.code == "invalid_client" {
			fields = map[string]any{"error": "access_denied", "error_description": "Unauthorized"}
		}
	case Experiture:
		id := c.correlationID()
		header.Set("X-Correlation-Id", id)
		fields = map[string]any{
			"success":       false,
			"correlationId": id,
			"error": map[string]any{
				"code":        experitureCode(no),
				"message":     no.description,
				"details":     map[string]any{},
				"remediation": "See the documentation.",
			},
		}
		if no.status == http.StatusTooManyRequests {
			delete(fields, "correlationId")
		}
	}
	maps.Copy(header, no.header)
	return &answer{status: no.status, header: header, fields: fields}
}

func experitureCode(no *refusal) string {
	switch {
	case strings.HasPrefix(no.code, "CDP_ETL."):
		return no.code
	case no.status == http.StatusTooManyRequests:
		return "CDP_ETL.RATE.LIMITED"
	case no.status >= 500:
		return "CDP_ETL.SYSTEM.UNAVAILABLE"
	case no.status == http.StatusUnauthorized:
		return "CDP_ETL.AUTH.UNAUTHORIZED"
	case no.status == http.StatusForbidden:
		return "CDP_ETL.AUTH.FORBIDDEN"
	}
	return "CDP_ETL.AUTH." + strings.ToUpper(no.code)
}

// correlationID is a fresh UUID, or a fixed one if there is no chance left.
func (c *call) correlationID() string {
	b, err := c.server.random(16)
	if err != nil {
		b = make([]byte, 16)
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
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
