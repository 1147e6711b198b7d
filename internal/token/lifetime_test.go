// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// sent is when the request was sent, by our clock: 1772600767.5.
var sent = time.Date(2026, 3, 4, 5, 6, 7, 500_000_000, time.UTC)

func at(offset time.Duration) time.Time { return sent.Truncate(time.Second).Add(offset) }

func TestLifeTakesTheEarliestExpiry(t *testing.T) {
	t.Parallel()
	exp := func(offset time.Duration) token.Claims { return token.Claims{ExpiresAt: at(offset)} }
	iat := func(issued, expires time.Duration) token.Claims {
		return token.Claims{IssuedAt: at(issued), ExpiresAt: at(expires)}
	}
	const hour, minute, second = time.Hour, time.Minute, time.Second
	tests := map[string]struct {
		answer  token.Answer
		expires time.Time
		skew    time.Duration
		err     error
	}{
		// Every source alone, and none.
		"exp":        {answer: token.Answer{Claims: exp(hour)}, expires: at(hour)},
		"expires_in": {answer: token.Answer{ExpiresIn: hour}, expires: sent.Add(hour)},
		"asked":      {answer: token.Answer{Asked: 15 * minute}, expires: sent.Add(15 * minute)},
		"default":    {answer: token.Answer{Default: hour}, expires: sent.Add(hour)},
		"nothing":    {answer: token.Answer{}, err: token.ErrNoExpiry},
		"iat alone":  {answer: token.Answer{Claims: token.Claims{IssuedAt: at(0)}}, err: token.ErrNoExpiry},

		// The order of the sources.
		"exp before expires_in":                    {answer: token.Answer{Claims: exp(minute), ExpiresIn: hour}, expires: at(minute)},
		"expires_in before exp":                    {answer: token.Answer{Claims: exp(hour), ExpiresIn: minute}, expires: sent.Add(minute)},
		"claims only: exp before expires_in":       {answer: token.Answer{Claims: exp(minute), ExpiresIn: hour, ClaimsOnly: true}, expires: at(minute)},
		"claims only: expires_in before exp":       {answer: token.Answer{Claims: exp(hour), ExpiresIn: minute, ClaimsOnly: true}, expires: at(hour)},
		"claims only: expires_in without exp":      {answer: token.Answer{ExpiresIn: minute, ClaimsOnly: true}, expires: sent.Add(minute)},
		"exp rather than asked, though later":      {answer: token.Answer{Claims: exp(hour), Asked: minute}, expires: at(hour)},
		"expires_in rather than asked":             {answer: token.Answer{ExpiresIn: hour, Asked: minute}, expires: sent.Add(hour)},
		"asked rather than default":                {answer: token.Answer{Asked: hour, Default: minute}, expires: sent.Add(hour)},
		"exp rather than default":                  {answer: token.Answer{Claims: exp(hour), Default: minute}, expires: at(hour)},
		"expires_in of zero: the default":          {answer: token.Answer{ExpiresIn: 0, Default: hour}, expires: sent.Add(hour)},
		"expires_in below zero: the default":       {answer: token.Answer{ExpiresIn: -1, Default: hour}, expires: sent.Add(hour)},
		"expires_in of zero and nothing else":      {answer: token.Answer{ExpiresIn: 0}, err: token.ErrNoExpiry},
		"an absurd expires_in and a sound exp":     {answer: token.Answer{Claims: exp(hour), ExpiresIn: math.MaxInt64}, expires: at(hour)},
		"an absurd exp and a sound expires_in":     {answer: token.Answer{Claims: exp(200_000 * hour), ExpiresIn: hour}, expires: sent.Add(hour)},
		"claims only: an absurd exp is not mended": {answer: token.Answer{Claims: exp(200_000 * hour), ExpiresIn: hour, ClaimsOnly: true}, err: token.ErrAbsurd},

		// Bounds.
		"expired":                      {answer: token.Answer{Claims: exp(-second)}, err: token.ErrExpired},
		"expires as it is asked for":   {answer: token.Answer{Sent: at(0), Claims: exp(0)}, err: token.ErrExpired},
		"expired beside expires_in":    {answer: token.Answer{Claims: exp(-hour), ExpiresIn: hour}, err: token.ErrExpired},
		"ten years":                    {answer: token.Answer{ExpiresIn: 87_600 * hour}, expires: sent.Add(87_600 * hour)},
		"ten years and a nanosecond":   {answer: token.Answer{ExpiresIn: 87_600*hour + 1}, err: token.ErrAbsurd},
		"the longest duration":         {answer: token.Answer{ExpiresIn: math.MaxInt64}, err: token.ErrAbsurd},
		"the end of time":              {answer: token.Answer{Claims: token.Claims{ExpiresAt: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}}, err: token.ErrAbsurd},
		"an absurd default is refused": {answer: token.Answer{Default: 100_000 * hour}, err: token.ErrAbsurd},
		"one nanosecond":               {answer: token.Answer{ExpiresIn: 1}, expires: sent.Add(1)},

		// Clocks. The endpoint's is ahead or behind; ours counts from sent.
		"ahead, by iat": {answer: token.Answer{Claims: iat(10*minute, 70*minute)}, expires: sent.Add(hour), skew: 10*minute - 500*time.Millisecond},
		// Without a Date nobody knows whether that clock is behind ours or the token is an old one: it counts for the less of the two.
		"iat in the past, no Date":         {answer: token.Answer{Claims: iat(-10*minute, 50*minute)}, expires: at(50 * minute)},
		"iat three seconds ago, no Date":   {answer: token.Answer{Sent: at(0), Claims: iat(-3*second, hour)}, expires: at(hour)},
		"cached for 45 minutes, no Date":   {answer: token.Answer{Claims: iat(-45*minute, 15*minute)}, expires: at(15 * minute)},
		"cached, expires_in says more":     {answer: token.Answer{Claims: iat(-45*minute, 15*minute), ExpiresIn: hour}, expires: at(15 * minute)},
		"cached, expires_in says less":     {answer: token.Answer{Claims: iat(-45*minute, 15*minute), ExpiresIn: 10 * minute}, expires: sent.Add(10 * minute)},
		"cached until it expired, no Date": {answer: token.Answer{Claims: iat(-2*hour, -hour)}, err: token.ErrExpired},
		"behind by its lifetime, no Date":  {answer: token.Answer{Claims: iat(-hour, 0)}, err: token.ErrExpired},
		"behind, by iat and Date":          {answer: token.Answer{Date: at(-10 * minute), Claims: iat(-10*minute, 50*minute)}, expires: sent.Add(hour), skew: -10*minute - 500*time.Millisecond},
		"iat ahead of ours, no Date":       {answer: token.Answer{Claims: iat(3*minute, 10*minute)}, expires: sent.Add(7 * minute), skew: 3*minute - 500*time.Millisecond},
		"ahead, by Date":                   {answer: token.Answer{Date: at(10 * minute), Claims: exp(70 * minute)}, expires: sent.Add(hour), skew: 10*minute - 500*time.Millisecond},
		"behind, by Date":                  {answer: token.Answer{Date: at(-10 * minute), Claims: exp(50 * minute)}, expires: sent.Add(hour), skew: -10*minute - 500*time.Millisecond},
		"a day behind":                     {answer: token.Answer{Date: at(-24 * hour), Claims: iat(-24*hour, -23*hour)}, expires: sent.Add(hour), skew: -24*hour - 500*time.Millisecond},
		"expires_in knows none":            {answer: token.Answer{Date: at(10 * minute), ExpiresIn: hour}, expires: sent.Add(hour), skew: 10*minute - 500*time.Millisecond},
		"expired by their clock":           {answer: token.Answer{Date: at(10 * minute), Claims: exp(5 * minute)}, err: token.ErrExpired},
		"expired by ours alone":            {answer: token.Answer{Date: at(-10 * minute), Claims: exp(-5 * minute)}, expires: sent.Add(5 * minute), skew: -10*minute - 500*time.Millisecond},

		// A token that the endpoint made a while ago: its iat is old, the Date is not.
		"cached an hour ago":              {answer: token.Answer{Date: at(0), Claims: iat(-hour, hour)}, expires: at(hour)},
		"cached an hour ago, clock ahead": {answer: token.Answer{Date: at(10 * minute), Claims: iat(-50*minute, 70*minute)}, expires: sent.Add(hour), skew: 10*minute - 500*time.Millisecond},
		"cached until it expired":         {answer: token.Answer{Date: at(0), Claims: iat(-2*hour, -hour)}, err: token.ErrExpired},
		"iat after Date":                  {answer: token.Answer{Date: at(0), Claims: iat(10*minute, 70*minute)}, expires: sent.Add(hour), skew: 10*minute - 500*time.Millisecond},
		"iat back-dated by a few seconds": {answer: token.Answer{Date: at(second), Claims: iat(-5*second, hour)}, expires: at(hour)},
		"a slow answer counts as a skew":  {answer: token.Answer{Date: at(10 * second), Claims: exp(hour)}, expires: at(hour - 10*second + 500*time.Millisecond), skew: 9500 * time.Millisecond},

		// Whole seconds make no skew: the expiry is the token's own.
		"half a second behind": {answer: token.Answer{Date: at(0), Claims: exp(hour)}, expires: at(hour)},
		"two seconds ahead":    {answer: token.Answer{Sent: at(0), Date: at(2 * second), Claims: exp(hour)}, expires: at(hour)},
		"two seconds behind":   {answer: token.Answer{Sent: at(0), Date: at(-2 * second), Claims: exp(hour)}, expires: at(hour)},
		"three seconds ahead":  {answer: token.Answer{Sent: at(0), Date: at(3 * second), Claims: exp(hour)}, expires: at(hour - 3*second), skew: 3 * second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.answer.Sent.IsZero() {
				test.answer.Sent = sent
			}
			got, err := test.answer.Life()
			if test.err != nil {
				if !errors.Is(err, test.err) || got != (token.Life{}) {
					t.Errorf("%v, %v", got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !got.ExpiresAt.Equal(test.expires) {
				t.Errorf("expires at %v, want %v", got.ExpiresAt, test.expires)
			}
			if got.Skew != test.skew {
				t.Errorf("skew %v, want %v", got.Skew, test.skew)
			}
			if !got.IssuedAt.Equal(test.answer.Sent) {
				t.Errorf("issued at %v", got.IssuedAt)
			}
			if got.Lifetime() != test.expires.Sub(test.answer.Sent) {
				t.Errorf("lives %v", got.Lifetime())
			}
		})
	}
}

func TestUnitsSaturate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ got, want time.Duration }{
		"seconds":                {token.Seconds(3600), time.Hour},
		"a fraction":             {token.Seconds(1.5), 1500 * time.Millisecond},
		"milliseconds":           {token.Milliseconds(86399992), 23*time.Hour + 59*time.Minute + 59*time.Second + 992*time.Millisecond},
		"minutes":                {token.Minutes(300), 5 * time.Hour},
		"too many":               {token.Seconds(1e300), math.MaxInt64},
		"just too many":          {token.Seconds(9223372037), math.MaxInt64},
		"too few":                {token.Minutes(-1e300), math.MinInt64},
		"infinitely many":        {token.Seconds(math.Inf(1)), math.MaxInt64},
		"infinitely few":         {token.Seconds(math.Inf(-1)), math.MinInt64},
		"no number":              {token.Seconds(math.NaN()), 0},
		"none":                   {token.Minutes(0), 0},
		"less than a nanosecond": {token.Seconds(1e-12), 0},
	}
	for name, test := range tests {
		if test.got != test.want {
			t.Errorf("%s: %v, want %v", name, test.got, test.want)
		}
	}
}
