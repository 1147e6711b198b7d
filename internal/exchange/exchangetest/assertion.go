// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"strconv"
	"strings"
	"time"
)

var (
	errUndecodable = errors.New("the assertion is no JWT")
	errSignature   = errors.New("the assertion's signature does not match the registered key")
)

// skew is how far a client's clock may be off: what Adobe's IMS allows.
const skew = 30 * time.Second

// readAssertion verifies a JWT that a client signed, RS256 or ES256 by the kind of key, and returns its claims. Whether they are the
// right ones is for the caller.
func readAssertion(compact string, key crypto.PublicKey, keyID string) (map[string]any, error) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, errUndecodable
	}
	var decoded [3][]byte
	for i, part := range parts {
		b, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil {
			return nil, errUndecodable
		}
		decoded[i] = b
	}
	header, err := decodeObject(decoded[0])
	if err != nil {
		return nil, errUndecodable
	}
	claims, err := decodeObject(decoded[1])
	if err != nil {
		return nil, errUndecodable
	}
	if typ, given := header["typ"]; given && typ != "JWT" {
		return nil, errUndecodable
	}
	if keyID != "" && header["kid"] != keyID {
		return nil, errSignature
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !signedBy(key, header["alg"], digest[:], decoded[2]) {
		return nil, errSignature
	}
	return claims, nil
}

// signedBy verifies a signature of RFC 7518 sections 3.3 and 3.4. An ES256 signature is r and s side by side, not ASN.1.
func signedBy(key crypto.PublicKey, alg any, digest, signature []byte) bool {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return alg == "RS256" && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, signature) == nil
	case *ecdsa.PublicKey:
		if alg != "ES256" || len(signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(key, digest, r, s)
	}
	return false
}

// wholeSeconds reads a time claim, which must be an integer.
func wholeSeconds(claims map[string]any, name string) (time.Time, bool) {
	number, ok := claims[name].(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	return time.Unix(seconds, 0), true
}

// timely judges the time claims by the endpoint's clock: exp required, at most the given time ahead; iat and nbf not in the future.
func timely(claims map[string]any, clock time.Time, atMost time.Duration) (expires time.Time, ok bool) {
	expires, ok = wholeSeconds(claims, "exp")
	if !ok || expires.Before(clock.Add(-skew)) || expires.After(clock.Add(atMost+skew)) {
		return time.Time{}, false
	}
	for _, name := range []string{"iat", "nbf"} {
		if _, given := claims[name]; !given {
			continue
		}
		if at, ok := wholeSeconds(claims, name); !ok || at.After(clock.Add(skew)) {
			return time.Time{}, false
		}
	}
	return expires, true
}

// assertedIssuer is the unverified iss of an assertion.
func assertedIssuer(assertion string) string {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	_ = json.Unmarshal(payload, &claims)
	return claims.Issuer
}
