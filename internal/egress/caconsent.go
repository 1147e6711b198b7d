// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// CAs is a consent to the CA certificates that may vouch for an endpoint. The zero value allows none.
type CAs struct {
	any  bool
	sums map[[sha256.Size]byte]bool
}

// ParseCAs reads the annotation cdpcredentials.io/allowed-ca: "*" for any CA, or comma-separated SHA-256 sums of CA certificates in DER, as sha256:HEX.
// Spaces around entries and empty entries are ignored; an empty list allows nothing and is not an error. The error does not quote the list.
func ParseCAs(list string) (CAs, error) {
	cas := CAs{sums: map[[sha256.Size]byte]bool{}}
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		switch entry {
		case "":
			continue
		case "*":
			cas.any = true
			continue
		}
		digits, ok := strings.CutPrefix(strings.ToLower(entry), "sha256:")
		sum, err := hex.DecodeString(digits)
		if !ok || err != nil || len(sum) != sha256.Size {
			return CAs{}, fmt.Errorf("an entry is neither * nor sha256: and 64 hexadecimal digits")
		}
		cas.sums[[sha256.Size]byte(sum)] = true
	}
	return cas, nil
}

// Allow reports whether the consent covers every certificate of a CA bundle. A bundle that cannot be read is not covered, except by "*", for which it
// is not read: this is called at every reconcile, and reading 64 KiB takes a millisecond.
func (c CAs) Allow(bundle []byte) bool {
	if c.any {
		return true
	}
	certificates, err := readCABundle(bundle)
	if err != nil {
		return false
	}
	for _, certificate := range certificates {
		if !c.sums[sha256.Sum256(certificate.Raw)] {
			return false
		}
	}
	return true
}

// CASums returns the entries of the annotation cdpcredentials.io/allowed-ca that cover a CA bundle. The error is a *CABundleError.
func CASums(bundle []byte) ([]string, error) {
	certificates, err := readCABundle(bundle)
	if err != nil {
		return nil, err
	}
	sums := make([]string, 0, len(certificates))
	for _, certificate := range certificates {
		sum := sha256.Sum256(certificate.Raw)
		sums = append(sums, "sha256:"+hex.EncodeToString(sum[:]))
	}
	return sums, nil
}
