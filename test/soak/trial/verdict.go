// SPDX-License-Identifier: Apache-2.0

package trial

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// A verdict is what is wrong with a target. Empty: nothing.
type verdict string

const (
	good       verdict = ""
	missing    verdict = "no Secret"
	tokenless  verdict = "Secret without a token"
	unknown    verdict = "token that was never issued"
	foreign    verdict = "somebody else's token"
	expired    verdict = "expired token"
	inconstant verdict = "token and its headers do not match"
)

// judge returns what is wrong with a target as a consumer has it at a time. The validity of a token comes from the endpoint's ledger.
func judge(m *member, secret *corev1.Secret, now time.Time) (verdict, exchangetest.Token) {
	if secret == nil {
		return missing, exchangetest.Token{}
	}
	value := string(secret.Data["token"])
	if value == "" {
		return tokenless, exchangetest.Token{}
	}
	token, issued := m.site.server.Token(value)
	switch {
	case !issued:
		return unknown, token
	case token.System != m.client.System || token.ClientID != m.client.ID:
		return foreign, token
	case !token.LiveAt(now):
		return expired, token
	case string(secret.Data["authorization"]) != "Bearer "+value:
		return inconstant, token
	}
	for name, want := range m.companions() {
		if string(secret.Data[name]) != want {
			return inconstant, token
		}
	}
	return good, token
}

// companions are the headers besides the token that the target must have.
func (m *member) companions() map[string]string {
	switch m.client.System {
	case exchangetest.Adobe:
		return map[string]string{"x-api-key": m.client.ID, "x-gw-ims-org-id": m.client.OrganizationID}
	case exchangetest.Algonomy:
		return map[string]string{"tenant_hash": m.client.ID}
	}
	return nil
}
