// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

var encode = base64.RawURLEncoding.EncodeToString

// jwt is a token with these claims and no valid signature.
func jwt(claims string) string {
	return encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

func TestReadClaims(t *testing.T) {
	t.Parallel()
	none := time.Time{}
	tests := map[string]struct {
		raw             string
		expires, issued time.Time
	}{
		"exp and iat":            {jwt(`{"iat":1772600767,"exp":1772604367}`), time.Unix(1772604367, 0), time.Unix(1772600767, 0)},
		"exp":                    {jwt(`{"exp":1772604367}`), time.Unix(1772604367, 0), none},
		"iat":                    {jwt(`{"iat":1772600767}`), none, time.Unix(1772600767, 0)},
		"with a fraction":        {jwt(`{"exp":1772604367.5}`), time.Unix(1772604367, 500_000_000), none},
		"with an exponent":       {jwt(`{"exp":1.772604367e9}`), time.Unix(1772604367, 0), none},
		"strings":                {jwt(`{"iat":"1772600767","exp":"1772604367"}`), time.Unix(1772604367, 0), time.Unix(1772600767, 0)},
		"nulls":                  {jwt(`{"iat":null,"exp":null}`), none, none},
		"zeros":                  {jwt(`{"iat":0,"exp":0}`), none, none},
		"negative":               {jwt(`{"exp":-1}`), none, none},
		"prose":                  {jwt(`{"exp":"soon"}`), none, none},
		"objects":                {jwt(`{"exp":{"at":1772604367},"iat":[1772604367]}`), none, none},
		"booleans":               {jwt(`{"exp":true}`), none, none},
		"far too late":           {jwt(`{"exp":1e300}`), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), none},
		"beyond float64":         {jwt(`{"exp":1e999}`), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), none},
		"milliseconds, it seems": {jwt(`{"exp":1772604367000}`), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), none},

		"Adobe IMS": {
			jwt(`{"type":"access_token","as":"ims-na1","created_at":"1772600767123","expires_in":"86400000"}`),
			time.UnixMilli(1772687167123), time.UnixMilli(1772600767123),
		},
		"Adobe IMS with exp, too": {
			jwt(`{"created_at":"1772600767000","expires_in":"86400000","exp":1772604367,"iat":1772600767}`), time.Unix(1772604367, 0), time.Unix(1772600767, 0),
		},
		"Adobe's, the least":        {jwt(`{"created_at":"1","expires_in":"1"}`), time.UnixMilli(2), time.UnixMilli(1)},
		"Adobe's names, numbers":    {jwt(`{"created_at":1772600767000,"expires_in":86400000}`), none, none},
		"created_at alone":          {jwt(`{"created_at":"1772600767000"}`), none, none},
		"expires_in alone":          {jwt(`{"iat":1772600767,"expires_in":"86400000"}`), none, time.Unix(1772600767, 0)},
		"expires_in of zero":        {jwt(`{"created_at":"1772600767000","expires_in":"0"}`), none, none},
		"expires_in below zero":     {jwt(`{"created_at":"1772600767000","expires_in":"-86400000"}`), none, none},
		"Adobe's beyond int64":      {jwt(`{"created_at":"1772600767000","expires_in":"99999999999999999999"}`), none, none},
		"Adobe's beyond all time":   {jwt(`{"created_at":"1772600767000","expires_in":"9223372036854775807"}`), none, none},
		"Adobe's not quite numbers": {jwt(`{"created_at":"1772600767000 ","expires_in":"0x5265C00"}`), none, none},

		"opaque":               {"CkFV8QOtY37jal2JccgNN1V5x3FvY2jamq6Dk5w19x3SkHEU9Lz2ociq4GBR3", none, none},
		"two dots":             {"a.b.c", none, none},
		"empty":                {"", none, none},
		"dots":                 {"..", none, none},
		"two parts":            {encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(`{"exp":1772604367}`)), none, none},
		"encrypted":            {"e.e.e.e.e", none, none},
		"claims are no object": {jwt(`[1772604367]`), none, none},
		"claims are no JSON":   {jwt(`exp=1772604367`), none, none},
		"header is no JSON":    {encode([]byte("alg")) + "." + encode([]byte(`{"exp":1772604367}`)) + ".c2ln", none, none},
		"no signature":         {encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(`{"exp":1772604367}`)) + ".", time.Unix(1772604367, 0), none},
		"unknown algorithm":    {encode([]byte(`{"alg":"XS512"}`)) + "." + encode([]byte(`{"exp":1772604367}`)) + ".c2ln", time.Unix(1772604367, 0), none},
		"no algorithm":         {encode([]byte(`{}`)) + "." + encode([]byte(`{"exp":1772604367}`)) + ".c2ln", time.Unix(1772604367, 0), none},
		"padded": {
			base64.URLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.URLEncoding.EncodeToString([]byte(`{"exp":1772604367}`)) + ".c2ln",
			time.Unix(1772604367, 0), none,
		},
		"nested for ever": {jwt(strings.Repeat(`{"a":`, 50_000)), none, none},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := token.ReadClaims(test.raw)
			if !got.ExpiresAt.Equal(test.expires) || !got.IssuedAt.Equal(test.issued) {
				t.Errorf("expires %v, issued %v; want %v and %v", got.ExpiresAt, got.IssuedAt, test.expires, test.issued)
			}
		})
	}
}

// FuzzClaims reads whatever may call itself a token. The times that come of it are such that one can count with them, and a
// lifetime computed from them is within its bounds.
func FuzzClaims(f *testing.F) {
	for _, claims := range []string{
		`{"iat":1772600767,"exp":1772604367}`, `{"iat":"1772600767","exp":1.772604367e9}`, `{"created_at":"1772600767123","expires_in":"86400000"}`,
		`{"exp":-1e999}`, `{"exp":1e999,"iat":0.000001}`, `{"exp":null}`, `[]`, ``,
	} {
		f.Add(`{"alg":"RS256"}`, claims, int64(3600), int64(0))
	}
	f.Add(`{"alg":7}`, `{"exp":1772604367}`, int64(-1), int64(1<<62))
	f.Fuzz(func(t *testing.T, header, claims string, expiresIn, date int64) {
		for _, raw := range []string{header, claims, encode([]byte(header)) + "." + encode([]byte(claims)) + ".", header + "." + claims + ".c2ln"} {
			got := token.ReadClaims(raw)
			for _, claimed := range []time.Time{got.ExpiresAt, got.IssuedAt} {
				// An Adobe token's two claims add up.
				if !claimed.IsZero() && (claimed.Year() < 1969 || claimed.Year() > 10300) {
					t.Errorf("%v", claimed)
				}
			}
			answer := token.Answer{Sent: sent, Claims: got, ExpiresIn: token.Seconds(float64(expiresIn)), Date: time.Unix(date%(1<<40), 0)}
			life, err := answer.Life()
			if err == nil && (life.Lifetime() <= 0 || life.Lifetime() > 10*365*24*time.Hour) {
				t.Errorf("lives %v", life.Lifetime())
			}
			if err == nil {
				if renew := life.RenewAt(0, claims); renew.Before(life.IssuedAt) || renew.After(life.ExpiresAt) {
					t.Errorf("renewed at %v", renew)
				}
			}
		}
	})
}
