// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Claims are the times in a JWT. They are hints about when to renew: no signature is checked, since the token is for its audience and not for us.
type Claims struct {
	// ExpiresAt is exp (RFC 7519 section 4.1.4), or the sum of an Adobe IMS token's created_at and expires_in. Zero: unknown.
	ExpiresAt time.Time
	// IssuedAt is iat (RFC 7519 section 4.1.6), or an Adobe IMS token's created_at. Zero: unknown.
	IssuedAt time.Time
}

// ReadClaims reads the times in a token. An opaque, encrypted or malformed one gives the zero Claims: an access token need not be a JWT (RFC 6749
// section 1.4).
func ReadClaims(raw string) Claims {
	said := jwt.MapClaims{}
	_, _, err := jwt.NewParser(jwt.WithJSONNumber(), jwt.WithPaddingAllowed()).ParseUnverified(raw, said)
	// An algorithm that the library does not know makes a token unverifiable, but the claims have been read by then.
	if err != nil && !errors.Is(err, jwt.ErrTokenUnverifiable) {
		return Claims{}
	}
	claims := Claims{ExpiresAt: numericDate(said["exp"]), IssuedAt: numericDate(said["iat"])}
	if claims.ExpiresAt.IsZero() {
		created, lifetime := milliseconds(said["created_at"]), milliseconds(said["expires_in"])
		if created > 0 && lifetime > 0 {
			claims.IssuedAt = time.UnixMilli(created)
			claims.ExpiresAt = claims.IssuedAt.Add(Milliseconds(float64(lifetime)))
		}
	}
	return claims
}

// lastYear caps absurd claims, so that arithmetic on them does not overflow; such a lifetime is refused later.
var lastYear = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// numericDate reads a NumericDate (RFC 7519 section 2), which may have a fraction. Some servers send it as a string.
func numericDate(v any) time.Time {
	var text string
	switch v := v.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	default:
		return time.Time{}
	}
	seconds, err := strconv.ParseFloat(text, 64)
	isNumber := (err == nil || errors.Is(err, strconv.ErrRange)) && !math.IsNaN(seconds)
	if !isNumber || seconds <= 0 {
		return time.Time{}
	}
	if seconds >= float64(lastYear.Unix()) {
		return lastYear
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*float64(time.Second)))
}

// milliseconds reads one of Adobe's two claims, which are strings. A number under these names comes from another server, in an unknown unit.
func milliseconds(v any) int64 {
	text, ok := v.(string)
	if !ok {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > lastYear.UnixMilli() {
		return 0
	}
	return n
}
