// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/youmark/pkcs8"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// Made with OpenSSL 3: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 | openssl pkcs8 -topk8 -v2 aes256 -passout pass:open-sesame,
// and likewise with -scrypt, with -v1 PBE-SHA1-3DES, and by openssl ec -aes128. They guard nothing.
const (
	opensslPBES2 = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhW4EqFaAaiOQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEECdEBk73IBIy64So83vbfNEEgZDk
Q4XlQglkvJf5Q55LfMTpW1SJ+0Vi/lV1PnZ6bH2jbi7udSoFq6BdB+HM8FX8P/1i
HuiuK3nXHnN98ebbkkHRwwBIh8xLgtLCVhlP9Xk6qirqfzwAo6M1IkFETq2jIDLj
QZDMABMtWbazY6X1VuT21rd37G05wuvdYD/Z4RFnPD+oRuTraVQJZLVFZdGMkbM=
-----END ENCRYPTED PRIVATE KEY-----
`
	opensslScrypt = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHkME8GCSqGSIb3DQEFDTBCMCEGCSsGAQQB2kcECzAUBAiuoiCLi1DgMQICQAAC
AQgCAQEwHQYJYIZIAWUDBAEqBBDtUXo5v/Vn6a41A7RP/gD2BIGQ84rde61DW30p
eMc7FxBo9xfevkeWJ8duFEr0w6TsFm4c/2c2mpsaTwgJBL9Z7j8Q4di/L7Vr4uu4
wCVYaWS0nM6+tM0iGISjm6ItDrX781shM3v2rxTxGBuSBLsUo99TYSm+IsA0eZ/C
W6MAMiMswlnQv336AbjzBxbz4ug34zamOhECOOuAZbWMk24Z+2G0
-----END ENCRYPTED PRIVATE KEY-----
`
	opensslPBES1 = `-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGxMBwGCiqGSIb3DQEMAQMwDgQIRwsBuPZUITACAggABIGQ7ODWxCt4yjmErBWL
+fqO//D+dFbLUrrc4pBDFEJo48t4H15fp4m3bbpmFiQljACOuTgo7rrKXrFaix/t
yImgjfX9s0szIQ17q+lxg+8jcQoS+TkF2qWVf8KgONc9uw4J8Bv9faAQ7231RFNg
iBLuNKbLod4oMV2zH6gjn3pCIH9IEjRUhyXSVOq/l7vhy6CW
-----END ENCRYPTED PRIVATE KEY-----
`
	opensslLegacy = `-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,4374967E94F2636CF01E90679826B165

YezTVBPMqIiMAmnujDOAFqQLz7Utga+GIYocl/HX3xL00dOPuHu6UC0lg/5t4wbS
j62i224ujcvDhN6rK7XyhjGdb85k4IhxkiTcINRBaLmL0biVLJEajIuxoq3LECb1
02luLy0uAZF9hvpFeo3pdgdCxCEGIC4N8L6e6VznJOM=
-----END EC PRIVATE KEY-----
`
)

func TestPrivateKeys(t *testing.T) {
	t.Parallel()
	encode := func(kind string, der []byte) exchange.Secret {
		return exchange.Secret(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	sec1, err := x509.MarshalECPrivateKey(ecKey())
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := func(cost pkcs8.KDFOpts) exchange.Secret {
		der, err := pkcs8.MarshalPrivateKey(ecKey(), []byte("open-sesame"), &pkcs8.Opts{Cipher: pkcs8.AES256CBC, KDFOpts: cost})
		if err != nil {
			t.Fatal(err)
		}
		return encode("ENCRYPTED PRIVATE KEY", der)
	}
	pkcs1 := encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey()))
	certificate := encode("CERTIFICATE", []byte("not looked at"))

	tests := map[string]struct {
		key, passphrase exchange.Secret
		field, detail   string // empty: the key is good
	}{
		"PKCS#1":                   {key: pkcs1},
		"PKCS#8 RSA":               {key: asPEM(rsaKey())},
		"PKCS#8 EC":                {key: asPEM(ecKey())},
		"SEC 1":                    {key: encode("EC PRIVATE KEY", sec1)},
		"after other things":       {key: "Bag Attributes\n    friendlyName: etl\n" + certificate + pkcs1},
		"CRLF":                     {key: exchange.Secret(strings.ReplaceAll(string(pkcs1), "\n", "\r\n"))},
		"without the last newline": {key: exchange.Secret(strings.TrimSuffix(string(pkcs1), "\n"))},
		"a passphrase too many":    {key: pkcs1, passphrase: "open-sesame"},
		"PBES2, PBKDF2":            {key: opensslPBES2, passphrase: "open-sesame"},
		"PBES2, scrypt":            {key: opensslScrypt, passphrase: "open-sesame"},
		"RFC 1421":                 {key: opensslLegacy, passphrase: "open-sesame"},
		"wrong passphrase":         {key: opensslPBES2, passphrase: "close-sesame", field: "privateKeyPassphrase", detail: "does not open the private key"},
		"wrong passphrase, legacy": {key: opensslLegacy, passphrase: "close-sesame", field: "privateKeyPassphrase", detail: "does not open the private key"},
		"no passphrase":            {key: opensslScrypt, field: "privateKeyPassphrase", detail: "is missing, and the private key is encrypted"},
		"no passphrase, legacy":    {key: opensslLegacy, field: "privateKeyPassphrase", detail: "is missing, and the private key is encrypted"},
		"PBES1": {
			key: opensslPBES1, passphrase: "open-sesame",
			field: "privateKey", detail: "has an unsupported encryption: encrypt it with openssl pkcs8 -topk8 -v2 aes256",
		},
		"empty":          {key: "", field: "privateKey", detail: "has no PEM block with a private key"},
		"no PEM":         {key: "MIIEvQIBADANBg", field: "privateKey", detail: "has no PEM block with a private key"},
		"a certificate":  {key: certificate, field: "privateKey", detail: "has no PEM block with a private key"},
		"damaged":        {key: encode("PRIVATE KEY", []byte("damaged")), field: "privateKey", detail: "is not a private key in PKCS#1, PKCS#8 or SEC 1, or is damaged"},
		"OpenSSH's own":  {key: encode("OPENSSH PRIVATE KEY", []byte("openssh-key-v1")), field: "privateKey", detail: "is not a private key in PKCS#1, PKCS#8 or SEC 1, or is damaged"},
		"cut off":        {key: exchange.Secret(opensslPBES2[:120]), passphrase: "open-sesame", field: "privateKey", detail: "has no PEM block with a private key"},
		"another curve":  {key: asPEM(p384), field: "privateKey", detail: "must be on the curve P-256"},
		"Ed25519":        {key: asPEM(ed), field: "privateKey", detail: "must be an RSA or an EC key"},
		"too short":      {key: asPEM(shortKey(t)), field: "privateKey", detail: "must have 2048 to 8192 bits"},
		"too large":      {key: exchange.Secret(strings.Repeat("x", 16385)), field: "privateKey", detail: "is longer than 16 KiB"},
		"large and dear": {key: encode("RSA PRIVATE KEY", hugeKey(t, 40_000)), field: "privateKey", detail: "is too large"},
		"large and dear, but not too large to be read": {
			key: encode("RSA PRIVATE KEY", hugeKey(t, 30_000)), field: "privateKey", detail: "is not a private key in PKCS#1, PKCS#8 or SEC 1, or is damaged",
		},
		"a KDF that computes for minutes": {
			key: withIterations(t, 2_000_000_000), passphrase: "open-sesame",
			field: "privateKey", detail: "takes too long to decrypt: encrypt it with fewer iterations",
		},
		"a KDF that takes all memory": {
			key: withScrypt(t, 1<<30, 1<<20, 1), passphrase: "open-sesame",
			field: "privateKey", detail: "takes too long to decrypt: encrypt it with fewer iterations",
		},
		"a KDF in parallel forever": {
			key: withScrypt(t, 1<<14, 8, 1<<20), passphrase: "open-sesame",
			field: "privateKey", detail: "takes too long to decrypt: encrypt it with fewer iterations",
		},
		"a KDF of more than a million iterations": {
			key: withIterations(t, 1_000_001), passphrase: "open-sesame",
			field: "privateKey", detail: "takes too long to decrypt: encrypt it with fewer iterations",
		},
		"scrypt with twice OpenSSL's cost": {
			key: withScrypt(t, 1<<15, 8, 1), passphrase: "open-sesame",
			field: "privateKey", detail: "takes too long to decrypt: encrypt it with fewer iterations",
		},
		"scrypt with large blocks": {
			key: withScrypt(t, 2, 65536, 1), passphrase: "open-sesame",
			field: "privateKey", detail: "takes too long to decrypt: encrypt it with fewer iterations",
		},
		"no iterations":                 {key: withIterations(t, 0), passphrase: "open-sesame", field: "privateKey", detail: "is damaged"},
		"a KDF of no cost":              {key: withScrypt(t, 0, 8, 1), passphrase: "open-sesame", field: "privateKey", detail: "is damaged"},
		"an IV that does not fit":       {key: withIV(t, 7, 64), passphrase: "open-sesame", field: "privateKey", detail: "is damaged"},
		"a text that does not fit":      {key: withIV(t, 16, 63), passphrase: "open-sesame", field: "privateKey", detail: "is damaged"},
		"nothing behind the encryption": {key: withIV(t, 16, 0), passphrase: "open-sesame", field: "privateKeyPassphrase", detail: "does not open the private key"},
		"many iterations":               {key: encrypted(pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: 100_000, HMACHash: crypto.SHA256}), passphrase: "open-sesame"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := ask{
				Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://a.example.com", AuthMethod: "PrivateKeyJWT"}},
				Values:   exchange.Values{"clientID": "etl", "privateKey": test.key, "privateKeyPassphrase": test.passphrase},
			}
			started := time.Now()
			err := opened(t, req)
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if test.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			failed := asError(t, err)
			if failed.Kind != exchange.InvalidKey || failed.Field != test.field || failed.Detail != test.detail {
				t.Errorf("kind %v, %s: %s", failed.Kind, failed.Field, failed.Detail)
			}
			if want := test.field + ": " + test.detail; err.Error() != want {
				t.Errorf("says %q, want %q", err, want)
			}
		})
	}
}

func TestServiceAccountWantsRSA(t *testing.T) {
	t.Parallel()
	err := opened(t, serviceAccount().with(exchange.Values{"privateKey": asPEM(ecKey())}))
	if failed := asError(t, err); failed.Kind != exchange.InvalidKey || failed.Field != "privateKey" || failed.Detail != "must be an RSA key" {
		t.Errorf("%v", err)
	}
}

// opened is nil if a request could be signed.
func opened(t *testing.T, req ask) error {
	t.Helper()
	sent := false
	_, err := exchange.Exchanger{Now: clock, Rand: rand.Reader}.Exchange(t.Context(), roundTrip(func(*http.Request) (*http.Response, error) {
		sent = true
		return nil, http.ErrServerClosed
	}), req.request())
	if sent {
		return nil
	}
	return err
}

func TestNoRandomNumbersNoAssertion(t *testing.T) {
	t.Parallel()
	_, err := exchange.Exchanger{Now: clock, Rand: strings.NewReader("short")}.Exchange(t.Context(), nil, serviceAccount().request())
	if failed := asError(t, err); failed.Kind != exchange.Unavailable {
		t.Errorf("%v", err)
	}
}

// shortKey is an RSA key that would take nobody long to break.
func shortKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skipf("this build of crypto/rsa makes no such key: %v", err)
	}
	return key
}

// hugeKey has a modulus of so many bits.
func hugeKey(t *testing.T, bits uint) []byte {
	t.Helper()
	modulus := new(big.Int).Lsh(big.NewInt(1), bits)
	modulus.SetBit(modulus, 0, 1)
	return der(t, struct {
		Version                  int
		N, E, D, P, Q, X, Y, Inv *big.Int
	}{0, modulus, big.NewInt(65537), big.NewInt(3), modulus, big.NewInt(1), big.NewInt(1), big.NewInt(1), big.NewInt(1)})
}

func der(t *testing.T, v any) []byte {
	t.Helper()
	encoded, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// An algorithm with its parameters, of RFC 5280 section 4.1.1.2.
type algorithm struct {
	OID        asn1.ObjectIdentifier
	Parameters any
}

// encryptedBy is a key that claims to be encrypted so.
func encryptedBy(t *testing.T, derivation algorithm, iv, data int) exchange.Secret {
	t.Helper()
	type scheme struct{ Derivation, Cipher algorithm }
	aes256 := algorithm{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, make([]byte, iv)}
	pbes2 := algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, scheme{derivation, aes256}}
	return exchange.Secret(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der(t, struct {
		Algorithm algorithm
		Data      []byte
	}{pbes2, make([]byte, data)})}))
}

func withIterations(t *testing.T, iterations int) exchange.Secret {
	return encryptedBy(t, algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, struct {
		Salt       []byte
		Iterations int
	}{[]byte("salt"), iterations}}, 16, 64)
}

func withScrypt(t *testing.T, cost, block, parallel int) exchange.Secret {
	return encryptedBy(t, algorithm{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}, struct {
		Salt                  []byte
		Cost, Block, Parallel int
	}{[]byte("salt"), cost, block, parallel}}, 16, 64)
}

func withIV(t *testing.T, iv, data int) exchange.Secret {
	return encryptedBy(t, algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, struct {
		Salt       []byte
		Iterations int
	}{[]byte("salt"), 1}}, iv, data)
}
