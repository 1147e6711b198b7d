// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// verify checks a token's RS256 signature with crypto/rsa and returns its claims.
func verify(t *testing.T, s *Server, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %d parts", len(parts))
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(s.PublicKey(), crypto.SHA256, digest[:], signature); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// sign makes an assertion with a client's key.
func sign(t *testing.T, key crypto.Signer, header, claims map[string]any) string {
	t.Helper()
	content := base64.RawURLEncoding.EncodeToString([]byte(jsonOf(t, header))) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(jsonOf(t, claims)))
	digest := sha256.Sum256([]byte(content))
	var signature []byte
	switch key := key.(type) {
	case *rsa.PrivateKey:
		var err error
		if signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:]); err != nil {
			t.Fatal(err)
		}
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	return content + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestReusedSignatureIsShapedLikeOne(t *testing.T) {
	t.Parallel()
	s := start(t, Options{ReuseSignature: true}, Client{System: Apsis, ID: "id", Secret: hard})
	one, other := do(t, s, apsisAsk(t, s)).text("access_token"), do(t, s, apsisAsk(t, s)).text("access_token")
	if one == other {
		t.Error("the same token twice")
	}
	a, b := strings.Split(one, "."), strings.Split(other, ".")
	if len(a) != 3 || len(b) != 3 || a[2] != b[2] || len(a[2]) != 342 {
		t.Errorf("signatures of %d and %d characters", len(a[2]), len(b[2]))
	}
}
