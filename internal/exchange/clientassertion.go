package exchange

import (
	"cmp"
	"context"
	"encoding/base64"
	"io"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// backdated is how far in the past an assertion is issued, for servers whose clock is behind ours.
const backdated = 5 * time.Second

// clientAssertion is the JWT of RFC 7523 section 2.2 by which an oauth2 client authenticates. It is good for 60 s and for one use.
func (a attempt) clientAssertion(ctx context.Context, req Request) (string, error) {
	key, err := a.keys.open(ctx, req.Namespace, req.Client)
	if err != nil {
		return "", err
	}
	issued := a.now().Add(req.ClockOffset - backdated)
	return a.sign(key, req.Client.KeyID, jwt.MapClaims{
		"iss": string(req.Client.ID),
		"sub": string(req.Client.ID),
		"aud": cmp.Or(req.AssertionAudience, req.URL),
		"iat": issued.Unix(),
		"exp": issued.Add(time.Minute).Unix(),
	})
}

// sign adds a fresh jti to claims and signs them. Servers remember the jti of what they have seen and refuse it the second time, so
// no assertion outlives its attempt.
func (a attempt) sign(key signingKey, keyID Secret, claims jwt.MapClaims) (string, error) {
	var jti [16]byte
	if _, err := io.ReadFull(a.rand, jti[:]); err != nil {
		return "", &Error{Kind: Unavailable, Detail: "the assertion cannot be made: no random numbers", Cause: err}
	}
	claims["jti"] = base64.RawURLEncoding.EncodeToString(jti[:])
	assertion := jwt.NewWithClaims(key.method, claims)
	if keyID != "" {
		assertion.Header["kid"] = string(keyID)
	}
	signed, err := assertion.SignedString(key.private)
	if err != nil {
		return "", invalidKey("privateKey", "cannot sign")
	}
	return signed, nil
}
