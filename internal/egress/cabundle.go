package egress

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

const maxCABundle = 512 << 10

// CABundleError says why a CA bundle cannot be used. Its text holds nothing of the bundle; the author of tls.caBundle can
// mend it.
type CABundleError struct{ Why string }

func (e *CABundleError) Error() string { return "read CA bundle: " + e.Why }

// CheckCABundle says whether a CA bundle can be used: a *CABundleError if not.
func CheckCABundle(bundle []byte) error {
	return addCertificates(x509.NewCertPool(), bundle)
}

// addCertificates is strict where x509.CertPool.AppendCertsFromPEM is not: a bundle that is only half read would fail later
// and far from its cause.
func addCertificates(pool *x509.CertPool, bundle []byte) error {
	if len(bundle) > maxCABundle {
		return &CABundleError{fmt.Sprintf("it is larger than %d KiB: keep only the endpoint's own CA", maxCABundle>>10)}
	}
	count := 0
	for {
		block, rest := pem.Decode(bundle)
		if block == nil {
			break
		}
		bundle, count = rest, count+1
		if block.Type != "CERTIFICATE" {
			return &CABundleError{fmt.Sprintf("PEM block %d is no CERTIFICATE: remove it", count)}
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return &CABundleError{fmt.Sprintf("PEM block %d is no valid certificate: replace it", count)}
		}
		pool.AddCert(certificate)
	}
	if count == 0 || bytes.Contains(bundle, []byte("-----BEGIN")) {
		return &CABundleError{"it is no complete PEM: give one or more BEGIN CERTIFICATE blocks"}
	}
	return nil
}
