// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"encoding/base64"
	"io"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// backdated is how far in the past an assertion's iat is, for servers whose clock is behind ours.
const backdated = 5 * time.Second

// assertion builds and signs a JWT. Servers remember each jti and refuse it the second time, so no assertion is used in two attempts. It counts as a
// secret.
func (a *attempt) assertion(ctx context.Context, j *flow.JWT) (string, error) {
	key, err := a.keys.open(ctx, a.req.Namespace, a.req.Values)
	if err != nil {
		return "", err
	}
	if j.Algorithm != "" && j.Algorithm != key.method.Alg() {
		return "", invalidKey(flow.PrivateKey, "must be an RSA key")
	}
	var jti [16]byte
	if _, err := io.ReadFull(a.rand, jti[:]); err != nil {
		return "", &Error{Kind: Unavailable, Detail: "the assertion cannot be built: no random numbers", Cause: err}
	}
	issued := a.now().Add(a.req.ClockOffset - backdated)
	claims := jwt.MapClaims{
		"iss": a.req.Values.text(j.Issuer),
		"sub": a.req.Values.text(j.Subject),
		"aud": a.req.Values.text(j.Audience),
		"iat": issued.Unix(),
		"exp": issued.Add(j.Lifetime).Unix(),
		"jti": base64.RawURLEncoding.EncodeToString(jti[:]),
	}
	maps.Copy(claims, j.Claims)
	assertion := jwt.NewWithClaims(key.method, claims)
	if id := a.req.Values[flow.KeyID]; id != "" {
		assertion.Header["kid"] = string(id)
	}
	signed, err := assertion.SignedString(key.private)
	if err != nil {
		return "", invalidKey(flow.PrivateKey, "cannot sign")
	}
	a.secrets = a.secrets.and(signed)
	return signed, nil
}
