// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

const maxCABundle = 512 << 10

// CABundleError is why a CA bundle cannot be used. Its text contains nothing of the bundle; the author of tls.caBundle can fix it.
type CABundleError struct{ Why string }

func (e *CABundleError) Error() string { return "read CA bundle: " + e.Why }

// CheckCABundle returns a *CABundleError if a CA bundle cannot be used.
func CheckCABundle(bundle []byte) error {
	_, err := readCABundle(bundle)
	return err
}

func addCertificates(pool *x509.CertPool, bundle []byte) error {
	certificates, err := readCABundle(bundle)
	if err != nil {
		return err
	}
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return nil
}

// readCABundle is stricter than x509.CertPool.AppendCertsFromPEM: a bundle that is only partly read would fail later and far from its cause.
func readCABundle(bundle []byte) ([]*x509.Certificate, error) {
	if len(bundle) > maxCABundle {
		return nil, &CABundleError{fmt.Sprintf("it is larger than %d KiB: keep only the endpoint's own CA", maxCABundle>>10)}
	}
	var certificates []*x509.Certificate
	for {
		block, rest := pem.Decode(bundle)
		if block == nil {
			break
		}
		bundle = rest
		if block.Type != "CERTIFICATE" {
			return nil, &CABundleError{fmt.Sprintf("PEM block %d is not a CERTIFICATE: remove it", len(certificates)+1)}
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, &CABundleError{fmt.Sprintf("PEM block %d is not a valid certificate: replace it", len(certificates)+1)}
		}
		certificates = append(certificates, certificate)
	}
	if len(certificates) == 0 || bytes.Contains(bundle, []byte("-----BEGIN")) {
		return nil, &CABundleError{"it is not complete PEM: give one or more BEGIN CERTIFICATE blocks"}
	}
	return certificates, nil
}
