// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"crypto/x509/pkix"
	"encoding/asn1"
)

// Limits of the cost of decrypting a key. OpenSSL's defaults are 2048 iterations of PBKDF2, or scrypt with N 16384, r 8 and p 1, which is the
// limit here. scrypt takes 128 N r bytes, and some more for each r: hence the limits of r and p.
const (
	maxIterations     = 1_000_000
	maxScryptWork     = 131072 // N r p
	maxScryptBlock    = 64
	maxScryptParallel = 64
	// scryptCost is the number of PBKDF2 iterations that take as long as one step of scrypt.
	scryptCost = 2
)

var (
	oidPBES2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
	oidHMACSHA1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}

	oid3DESCBC   = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}
	oidAES128CBC = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES192CBC = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}
	oidAES256CBC = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

// The structures of RFC 8018 appendix A and RFC 7914 section 7.
type (
	encryptedPrivateKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbes2 struct {
		KeyDerivation, Encryption pkix.AlgorithmIdentifier
	}
	pbkdf2 struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
	scrypt struct {
		Salt                  []byte
		Cost, Block, Parallel int
		KeyLength             int `asn1:"optional"`
	}
)

// workOf checks an encrypted key before it is decrypted, and returns what that will cost: the library computes for as long as the parameters
// demand, and panics on ciphertext that does not fit its cipher.
func workOf(der []byte) (int, error) {
	var key encryptedPrivateKey
	var scheme pbes2
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		return 0, invalidKey("privateKey", "is damaged")
	}
	if _, err := asn1.Unmarshal(key.Algorithm.Parameters.FullBytes, &scheme); err != nil || !key.Algorithm.Algorithm.Equal(oidPBES2) {
		return 0, unknownEncryption()
	}
	work, err := derivationWork(scheme.KeyDerivation)
	if err != nil {
		return 0, err
	}
	block := 16
	switch oid := scheme.Encryption.Algorithm; {
	case oid.Equal(oid3DESCBC):
		block = 8
	case oid.Equal(oidAES128CBC), oid.Equal(oidAES192CBC), oid.Equal(oidAES256CBC):
	default:
		return 0, unknownEncryption()
	}
	var iv []byte
	if _, err := asn1.Unmarshal(scheme.Encryption.Parameters.FullBytes, &iv); err != nil || len(iv) != block || len(key.Data)%block != 0 {
		return 0, invalidKey("privateKey", "is damaged")
	}
	return work, nil
}

// derivationWork returns the cost of deriving a key from a passphrase, if it is within the limits.
func derivationWork(function pkix.AlgorithmIdentifier) (int, error) {
	switch {
	case function.Algorithm.Equal(oidPBKDF2):
		return pbkdf2Work(function.Parameters.FullBytes)
	case function.Algorithm.Equal(oidScrypt):
		return scryptWork(function.Parameters.FullBytes)
	}
	return 0, unknownEncryption()
}

func pbkdf2Work(der []byte) (int, error) {
	var p pbkdf2
	if _, err := asn1.Unmarshal(der, &p); err != nil || p.Iterations < 1 {
		return 0, invalidKey("privateKey", "is damaged")
	}
	if p.Iterations > maxIterations {
		return 0, tooCostly()
	}
	// The library supports only these functions, and ignores the function if the key's length precedes it.
	prf := p.PRF.Algorithm
	supported := p.KeyLength == 0 && (prf.Equal(oidHMACSHA1) || prf.Equal(oidHMACSHA256))
	if len(prf) != 0 && !supported {
		return 0, unknownEncryption()
	}
	return p.Iterations, nil
}

func scryptWork(der []byte) (int, error) {
	var p scrypt
	if _, err := asn1.Unmarshal(der, &p); err != nil || min(p.Cost, p.Block, p.Parallel) < 1 {
		return 0, invalidKey("privateKey", "is damaged")
	}
	// Divide, since the product may overflow.
	if p.Block > maxScryptBlock || p.Parallel > maxScryptParallel || p.Cost > maxScryptWork/p.Block/p.Parallel {
		return 0, tooCostly()
	}
	return scryptCost * p.Cost * p.Block * p.Parallel, nil
}

func unknownEncryption() error {
	return invalidKey("privateKey", "has an unsupported encryption: encrypt it with openssl pkcs8 -topk8 -v2 aes256")
}

func tooCostly() error {
	return invalidKey("privateKey", "takes too long to decrypt: encrypt it with fewer iterations")
}
