// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
)

// sharedKey is made once: it takes longer than most tests that need a server.
var sharedKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// signer makes RS256 JWTs.
type signer struct {
	key    *rsa.PrivateKey
	header string
	reused string // the signature of all tokens, if not empty
}

func newSigner(key *rsa.PrivateKey, reuse bool) (*signer, error) {
	if key == nil {
		shared, err := sharedKey()
		if err != nil {
			return nil, fmt.Errorf("generate signing key: %w", err)
		}
		key = shared
	}
	s := &signer{key: key, header: encode([]byte(`{"alg":"RS256","kid":"exchangetest","typ":"JWT"}`))}
	if reuse {
		signature, err := s.signature(s.header + "." + encode([]byte("{}")))
		if err != nil {
			return nil, err
		}
		s.reused = signature
	}
	return s, nil
}

// sign returns the compact JWT of claims.
func (s *signer) sign(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	content := s.header + "." + encode(payload)
	if s.reused != "" {
		return content + "." + s.reused, nil
	}
	signature, err := s.signature(content)
	if err != nil {
		return "", err
	}
	return content + "." + signature, nil
}

func (s *signer) signature(content string) (string, error) {
	digest := sha256.Sum256([]byte(content))
	signature, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return encode(signature), nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
