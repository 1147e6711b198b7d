// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/youmark/pkcs8"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// Limits of a private key. They keep a hostile Secret from costing more than about a second.
const (
	maxKeyDER  = 8 << 10 // an RSA key of 8192 bits takes 5 KiB
	minRSABits = 2048    // RFC 7518 section 3.3
	maxRSABits = 8192
)

// signingKey is a private key and the algorithm that it is used with.
type signingKey struct {
	method  jwt.SigningMethod
	private crypto.Signer
}

// signingKey parses the client's private key: PEM with PKCS#1 or SEC 1, possibly with the encryption of RFC 1421 that OpenSSL used before 1.0, or
// PKCS#8, possibly encrypted with PBES2. RSA keys sign with RS256, P-256 keys with ES256. A passphrase that is not needed is ignored.
func (v Values) signingKey() (signingKey, error) {
	block, encrypted, err := v.keyBlock()
	if err == nil && encrypted.work > 0 {
		return encrypted.open()
	}
	return parsed(block, err)
}

// parsed parses an unencrypted key, or returns err.
func parsed(block *pem.Block, err error) (signingKey, error) {
	if err != nil {
		return signingKey{}, err
	}
	var private any
	switch block.Type {
	case "RSA PRIVATE KEY":
		private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		private, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return signingKey{}, invalidKey(flow.PrivateKey, "is not a private key in PKCS#1, PKCS#8 or SEC 1, or is damaged")
	}
	return usable(private)
}

// usable refuses keys that are too weak, too costly or of an unsupported type.
func usable(private any) (signingKey, error) {
	switch private := private.(type) {
	case *rsa.PrivateKey:
		if bits := private.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return signingKey{}, invalidKey(flow.PrivateKey, "must have 2048 to 8192 bits")
		}
		return signingKey{jwt.SigningMethodRS256, private}, nil
	case *ecdsa.PrivateKey:
		if private.Curve != elliptic.P256() {
			return signingKey{}, invalidKey(flow.PrivateKey, "must be on the curve P-256")
		}
		return signingKey{jwt.SigningMethodES256, private}, nil
	}
	return signingKey{}, invalidKey(flow.PrivateKey, "must be an RSA or an EC key")
}

// keyBlock finds the private key among other PEM blocks. A key that is costly to decrypt is returned encrypted, with its cost.
func (v Values) keyBlock() (*pem.Block, encryptedKey, error) {
	block, rest := pem.Decode([]byte(v[flow.PrivateKey]))
	for block != nil && !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		block, rest = pem.Decode(rest)
	}
	switch {
	case block == nil:
		return nil, encryptedKey{}, invalidKey(flow.PrivateKey, "has no PEM block with a private key")
	case len(block.Bytes) > maxKeyDER:
		return nil, encryptedKey{}, invalidKey(flow.PrivateKey, "is too large")
	case block.Type == "ENCRYPTED PRIVATE KEY":
		encrypted, err := v.encryptedKey(block)
		return nil, encrypted, err
	case block.Headers["DEK-Info"] != "":
		opened, err := v.decryptLegacy(block)
		return opened, encryptedKey{}, err
	}
	return block, encryptedKey{}, nil
}

// encryptedKey is RFC 5958's EncryptedPrivateKeyInfo.
type encryptedKey struct {
	der        []byte
	passphrase Secret
	// work is the cost of decrypting it, in iterations of PBKDF2. Zero: there is no encrypted key.
	work int
}

func (v Values) encryptedKey(block *pem.Block) (encryptedKey, error) {
	if v[flow.Passphrase] == "" {
		return encryptedKey{}, invalidKey(flow.Passphrase, "is missing, and the private key is encrypted")
	}
	work, err := workOf(block.Bytes)
	if err != nil {
		return encryptedKey{}, err
	}
	return encryptedKey{der: block.Bytes, passphrase: v[flow.Passphrase], work: work}, nil
}

// open decrypts the key. It takes up to 16 MiB and most of a second.
func (e encryptedKey) open() (key signingKey, err error) {
	defer func() {
		if recover() != nil { // the library has panicked on damaged keys, and no reconciler would recover here
			key, err = signingKey{}, invalidKey(flow.PrivateKey, "is damaged")
		}
	}()
	private, err := pkcs8.ParsePKCS8PrivateKey(e.der, []byte(e.passphrase))
	if err != nil {
		return signingKey{}, invalidKey(flow.Passphrase, "does not open the private key")
	}
	return usable(private)
}

// decryptLegacy decrypts RFC 1421's encryption, which has no integrity protection: existing keys may have it.
func (v Values) decryptLegacy(block *pem.Block) (*pem.Block, error) {
	if v[flow.Passphrase] == "" {
		return nil, invalidKey(flow.Passphrase, "is missing, and the private key is encrypted")
	}
	der, err := x509.DecryptPEMBlock(block, []byte(v[flow.Passphrase])) //nolint:staticcheck // deprecated for new keys; users have old ones
	var sequence asn1.RawValue
	if err == nil {
		// The padding does not detect one wrong passphrase in 256.
		_, err = asn1.Unmarshal(der, &sequence)
	}
	if err != nil || sequence.Tag != asn1.TagSequence {
		return nil, invalidKey(flow.Passphrase, "does not open the private key")
	}
	return &pem.Block{Type: block.Type, Bytes: der}, nil
}
