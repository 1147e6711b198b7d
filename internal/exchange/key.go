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
)

// What a private key may look like. The bounds keep a hostile Secret from costing more than about a second.
const (
	maxPEM     = 64 << 10
	maxKeyDER  = 8 << 10 // an RSA key of 8192 bits takes 5 KiB
	minRSABits = 2048    // RFC 7518 section 3.3
	maxRSABits = 8192
)

// signingKey is a private key with the one algorithm that it is used for.
type signingKey struct {
	method  jwt.SigningMethod
	private crypto.Signer
}

// mustBeRSA refuses what cannot make an RS256 signature.
func (k signingKey) mustBeRSA() error {
	if k.method != jwt.SigningMethodRS256 {
		return invalidKey("privateKey", "must be an RSA key")
	}
	return nil
}

// signingKey reads the client's private key: PEM with PKCS#1, SEC 1 or PKCS#8, the latter also encrypted by PBES2, the former two also
// by the encryption of RFC 1421 that OpenSSL used before 1.0. RSA keys sign by RS256, P-256 keys by ES256. A passphrase that a key
// does not need is ignored.
func (c Client) signingKey() (signingKey, error) {
	block, err := c.keyBlock()
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
		return signingKey{}, invalidKey("privateKey", "is not a private key in PKCS#1, PKCS#8 or SEC 1, or is damaged")
	}
	switch private := private.(type) {
	case *rsa.PrivateKey:
		if bits := private.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return signingKey{}, invalidKey("privateKey", "must have 2048 to 8192 bits")
		}
		return signingKey{jwt.SigningMethodRS256, private}, nil
	case *ecdsa.PrivateKey:
		if private.Curve != elliptic.P256() {
			return signingKey{}, invalidKey("privateKey", "must be of the curve P-256")
		}
		return signingKey{jwt.SigningMethodES256, private}, nil
	}
	return signingKey{}, invalidKey("privateKey", "must be an RSA or an EC key")
}

// keyBlock finds the private key among what else may be in the file, and decrypts it.
func (c Client) keyBlock() (*pem.Block, error) {
	if len(c.PrivateKey) > maxPEM {
		return nil, invalidKey("privateKey", "is too large")
	}
	block, rest := pem.Decode([]byte(c.PrivateKey))
	for block != nil && !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		block, rest = pem.Decode(rest)
	}
	switch {
	case block == nil:
		return nil, invalidKey("privateKey", "has no PEM block with a private key")
	case len(block.Bytes) > maxKeyDER:
		return nil, invalidKey("privateKey", "is too large")
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return c.decryptPKCS8(block)
	case block.Headers["DEK-Info"] != "":
		return c.decryptLegacy(block)
	}
	return block, nil
}

// decryptPKCS8 decrypts RFC 5958's EncryptedPrivateKeyInfo.
func (c Client) decryptPKCS8(block *pem.Block) (*pem.Block, error) {
	if c.Passphrase == "" {
		return nil, invalidKey("privateKeyPassphrase", "is missing, and the private key is encrypted")
	}
	if err := checkEncryption(block.Bytes); err != nil {
		return nil, err
	}
	private, err := pkcs8.ParsePKCS8PrivateKey(block.Bytes, []byte(c.Passphrase))
	if err != nil {
		return nil, invalidKey("privateKeyPassphrase", "does not open the private key")
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, invalidKey("privateKey", "must be an RSA or an EC key")
	}
	return &pem.Block{Type: "PRIVATE KEY", Bytes: der}, nil
}

// decryptLegacy decrypts RFC 1421's encryption, which has no integrity: it is a way to store a key and here to be read, whatever its worth.
func (c Client) decryptLegacy(block *pem.Block) (*pem.Block, error) {
	if c.Passphrase == "" {
		return nil, invalidKey("privateKeyPassphrase", "is missing, and the private key is encrypted")
	}
	der, err := x509.DecryptPEMBlock(block, []byte(c.Passphrase)) //nolint:staticcheck // deprecated for new keys; users have old ones
	var sequence asn1.RawValue
	if err == nil {
		// One wrong passphrase in 256 goes unnoticed by the padding.
		_, err = asn1.Unmarshal(der, &sequence)
	}
	if err != nil || sequence.Tag != asn1.TagSequence {
		return nil, invalidKey("privateKeyPassphrase", "does not open the private key")
	}
	return &pem.Block{Type: block.Type, Bytes: der}, nil
}
