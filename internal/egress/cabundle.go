// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

const maxCABundle = 512 << 10

// CABundleError says why a CA bundle cannot be used. Its text holds nothing of the bundle; the author of tls.caBundle can
// fix it.
type CABundleError struct{ Why string }

func (e *CABundleError) Error() string { return "read CA bundle: " + e.Why }

// CheckCABundle reports whether a CA bundle can be used: a *CABundleError if not.
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

// readCABundle is strict where x509.CertPool.AppendCertsFromPEM is not: a bundle that is only half read would fail later
// and far from its cause.
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
			return nil, &CABundleError{fmt.Sprintf("PEM block %d is no CERTIFICATE: remove it", len(certificates)+1)}
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, &CABundleError{fmt.Sprintf("PEM block %d is no valid certificate: replace it", len(certificates)+1)}
		}
		certificates = append(certificates, certificate)
	}
	if len(certificates) == 0 || bytes.Contains(bundle, []byte("-----BEGIN")) {
		return nil, &CABundleError{"it is no complete PEM: give one or more BEGIN CERTIFICATE blocks"}
	}
	return certificates, nil
}
