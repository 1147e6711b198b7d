// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"sync"

	"github.com/youmark/pkcs8"
	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// pairValues are the prefixes of the values of Secrets. There are few, so that two are often equal in one world and different in the other. The last
// one is extended to the maximum length.
var pairValues = []string{"alpha", "alpha", "alpha", "alpha", "beta-and-longer", "beta-and-longer", "alpha\n", longValue}

const longValue = "long"

// pairKeys are the keys of texts, with their maximum length in bytes. token-id and token-secret share one header, as do the keys that may be named in
// their place.
var pairKeys = []struct {
	name string
	most int
}{
	{"client-id", exchange.MaxSecret}, {"client-secret", exchange.MaxSecret}, {"tenant-hash", exchange.MaxSecret}, {"token-id", 5 << 10}, {"token-secret", 5 << 10},
	{"alt-id", 5 << 10}, {"alt-secret", 5 << 10},
}

// optionalKeys may be missing in only one of the two worlds.
var optionalKeys = []string{"oauth-key-secret", "key-id", "ca.crt"}

// fill gives a Secret valid values: none is empty or malformed.
func (w *pairWorld) fill(s *corev1.Secret) {
	s.Data = map[string][]byte{}
	for _, key := range pairKeys {
		s.Data[key.name] = w.value(key.most)
	}
	s.Data["oauth-key-secret"], s.Data["key-id"] = w.value(exchange.MaxSecret), w.value(exchange.MaxSecret)
	material := pairMaterial()
	s.Data["ca.crt"], s.Data["alt-ca"] = w.file(material.certificates), w.file(material.certificates)
	s.Data["any-key"] = w.file(material.any)
	// The passphrase belongs to the key. It is ignored if the key needs none.
	s.Data["private-key"], s.Data["private-key-passphrase"] = w.file(material.rsa), []byte("open-sesame")
	for _, key := range optionalKeys {
		if w.values.maybe(0.3) {
			delete(s.Data, key)
		}
	}
}

// value draws a value of at most most bytes.
func (w *pairWorld) value(most int) []byte {
	value := pick(&w.values, pairValues)
	if w.distinct != nil {
		value = w.distinct()
	}
	if w.rotations > 0 {
		value = fmt.Sprintf("%d-%s", w.rotations, value)
	}
	if strings.HasSuffix(value, longValue) {
		value += strings.Repeat("x", most-len(value))
	}
	return []byte(value)
}

// file draws a PEM file. Text before the first block is ignored, but makes it another value.
func (w *pairWorld) file(of [][]byte) []byte {
	file := pick(&w.values, of)
	if w.rotations > 0 {
		file = fmt.Appendf(nil, "rotation %d\n%s", w.rotations, file)
	}
	return file
}

// pairFiles are private keys and certificates: RSA keys, encrypted or not, keys of any type, and CAs.
type pairFiles struct {
	rsa, any, certificates [][]byte
	sums                   []string
}

// pairMaterial is generated once, because that takes a while.
var pairMaterial = sync.OnceValue(func() *pairFiles {
	files := &pairFiles{}
	for serial := range int64(2) {
		private, err := rsa.GenerateKey(rand.Reader, 2048)
		must(err)
		files.rsa = append(files.rsa, asPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private)), encrypted(private))
		elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		der, err := x509.MarshalPKCS8PrivateKey(elliptic)
		must(err)
		files.any = append(files.any, asPEM("PRIVATE KEY", der), encrypted(elliptic), files.rsa[len(files.rsa)-2])
		template := &x509.Certificate{SerialNumber: big.NewInt(serial + 1), IsCA: true, BasicConstraintsValid: true}
		der, err = x509.CreateCertificate(rand.Reader, template, template, elliptic.Public(), elliptic)
		must(err)
		files.certificates = append(files.certificates, asPEM("CERTIFICATE", der))
		sum := sha256.Sum256(der)
		files.sums = append(files.sums, "sha256:"+hex.EncodeToString(sum[:]))
	}
	return files
})

func encrypted(key crypto.PrivateKey) []byte {
	der, err := pkcs8.MarshalPrivateKey(key, []byte("open-sesame"), &pkcs8.Opts{
		Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: 100, HMACHash: crypto.SHA256},
	})
	must(err)
	return asPEM("ENCRYPTED PRIVATE KEY", der)
}

func asPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
