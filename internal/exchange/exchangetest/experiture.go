// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"net/http"
	"strings"
)

func experiture() vendor {
	return vendor{endpoints: map[string]endpoint{ExperitureTokenPath: experitureToken, APIPath: experitureAPI}, shape: experitureError}
}

// experitureToken is RFC 6749 too, but errors have the vendor's envelope, and every answer a correlation id.
func experitureToken(c *call) (*answer, *refusal) {
	p, no := c.form(mediaForm)
	if no != nil {
		return nil, no
	}
	client, no := c.authenticate(p)
	if no != nil {
		return nil, no
	}
	if no := p.clientCredentials(); no != nil {
		return nil, no
	}
	if no := p.only("grant_type", "scope", "client_id", "client_secret"); no != nil {
		return nil, no
	}
	a, no := c.grantOAuth2(client, p, " ")
	if no != nil {
		return nil, no
	}
	a.header.Set("X-Correlation-Id", c.correlationID())
	return a, nil
}

// experitureAPI is an API of RFC 6750 whose answers are in the vendor's envelope.
func experitureAPI(c *call) (*answer, *refusal) {
	a, no := bearerAPI(c)
	if no != nil {
		return nil, no
	}
	id := c.correlationID()
	a.fields = map[string]any{"success": true, "data": map[string]any{}, "correlationId": id}
	a.header.Set("X-Correlation-Id", id)
	return a, nil
}

func experitureError(c *call, no *refusal) (map[string]any, http.Header) {
	id := c.correlationID()
	fields := map[string]any{
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
	return fields, http.Header{"X-Correlation-Id": {id}}
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
