// SPDX-License-Identifier: Apache-2.0

package exchangetest

import "net/http"

func basic() vendor { return vendor{endpoints: map[string]endpoint{APIPath: basicAPI}} }

// basicAPI takes token id and token secret; there is nothing to exchange.
func basicAPI(c *call) (*answer, *refusal) {
	if no := c.got(); no != nil {
		return nil, no
	}
	id, secret, _ := c.request.BasicAuth()
	c.sent(secret)
	client, known := c.client(Basic, id)
	if !known || !client.hasSecret(secret) {
		return nil, refuse(http.StatusUnauthorized, "invalid_token", "wrong token id or secret").with("WWW-Authenticate", `Basic realm="exchangetest"`)
	}
	return good(map[string]any{"ok": true}), nil
}
