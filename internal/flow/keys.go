// SPDX-License-Identifier: Apache-2.0

package flow

import "github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"

// Key names one value of the client Secret.
type Key struct {
	// Field is its name in spec.clientSecretRef.keys, Name the key in the Secret's data, and Default is Name unless the user sets one.
	Field, Name, Default string
	// Optional means that the value may be missing or empty.
	Optional bool

	// named returns the name that the user sets. Empty: none.
	named func(*v1alpha1.ClientSecretKeys) v1alpha1.SecretKey
	// fingerprinted is its name in the fingerprint. Empty: Field.
	fingerprinted string
}

// Keys that several providers need.
var (
	clientID = Key{
		Field: "clientID", Default: "client-id", fingerprinted: "client id",
		named: func(k *v1alpha1.ClientSecretKeys) v1alpha1.SecretKey { return k.ClientID },
	}
	clientSecret = Key{
		Field: "clientSecret", Default: "client-secret", fingerprinted: "client secret",
		named: func(k *v1alpha1.ClientSecretKeys) v1alpha1.SecretKey { return k.ClientSecret },
	}
	privateKey = Key{
		Field: PrivateKey, Default: "private-key", fingerprinted: "private key",
		named: func(k *v1alpha1.ClientSecretKeys) v1alpha1.SecretKey { return k.PrivateKey },
	}
	passphrase = Key{
		Field: Passphrase, Default: "private-key-passphrase", fingerprinted: "passphrase", Optional: true,
		named: func(k *v1alpha1.ClientSecretKeys) v1alpha1.SecretKey { return k.PrivateKeyPassphrase },
	}
	keyID = Key{
		Field: KeyID, Default: "key-id", fingerprinted: "key id", Optional: true,
		named: func(k *v1alpha1.ClientSecretKeys) v1alpha1.SecretKey { return k.KeyID },
	}
)

// Fields of the keys that authenticate a client or sign its JWTs.
const (
	ClientID     = "clientID"
	ClientSecret = "clientSecret"
	PrivateKey   = "privateKey"
	Passphrase   = "privateKeyPassphrase"
	KeyID        = "keyID"
)

// withNames sets the Name of each key.
func withNames(keys []Key, user *v1alpha1.ClientSecretKeys) []Key {
	named := make([]Key, len(keys))
	for i, key := range keys {
		named[i] = key
		named[i].Name = key.Default
		if user == nil {
			continue
		}
		if name := key.named(user); name != "" {
			named[i].Name = string(name)
		}
	}
	return named
}
