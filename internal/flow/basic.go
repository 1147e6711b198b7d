// SPDX-License-Identifier: Apache-2.0

package flow

import "github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"

var (
	tokenID = Key{
		Field: "tokenID", Default: "token-id", fingerprinted: "token id",
		named: func(k *v1alpha1.ClientSecretKeys) v1alpha1.SecretKey { return k.TokenID },
	}
	tokenSecret = Key{
		Field: "tokenSecret", Default: "token-secret", fingerprinted: "token secret",
		named: func(k *v1alpha1.ClientSecretKeys) v1alpha1.SecretKey { return k.TokenSecret },
	}
)

// basic exchanges nothing: the legacy token ID and token secret are the credentials.
func basic() Flow {
	return Flow{
		Provider: "basic", Kind: "basic",
		Keys:     []Key{tokenID, tokenSecret},
		Static:   &BasicCredentials{Username: tokenID.Field, Password: tokenSecret.Field},
		Settings: firstEdition(scopeSeparator("")),
	}
}
