// SPDX-License-Identifier: Apache-2.0

package flow

import "github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"

// Key is one value of the client Secret.
type Key struct {
	// Field is its name in spec.clientSecretRef.keys, Name the Secret's key, Default what Name is unless the user says otherwise.
	Field, Name, Default string
	// Optional values may be missing or empty.
	Optional bool

	// named is what the user calls it.
	named func(*v1alpha1.ClientSecretKeys) v1alpha1.SecretKey
	// fingerprinted is its name in the fingerprint. Empty: Field.
	fingerprinted string
}

// What several providers need.
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

// The Fields of the keys that clients authenticate with, and JWTs are signed with.
const (
	ClientID     = "clientID"
	ClientSecret = "clientSecret"
	PrivateKey   = "privateKey"
	Passphrase   = "privateKeyPassphrase"
	KeyID        = "keyID"
)

// withNames gives each key the name that the user or the default gives it.
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
