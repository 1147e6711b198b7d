// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"encoding/base64"
	"net/url"
)

// basicCredentials returns the credentials of RFC 7617 section 2.
func basicCredentials(id, secret Secret) string {
	return base64.StdEncoding.EncodeToString([]byte(string(id) + ":" + string(secret)))
}

// formEncodedCredentials returns the credentials of RFC 6749 section 2.3.1, which form-encodes both parts first.
func formEncodedCredentials(id, secret Secret) string {
	return basicCredentials(Secret(url.QueryEscape(string(id))), Secret(url.QueryEscape(string(secret))))
}
