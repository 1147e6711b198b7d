// SPDX-License-Identifier: Apache-2.0

package exchangetest

import (
	"encoding/base64"
	"maps"
	"net/url"
	"time"
)

// secrets maps each to when it may be forgotten; zero means never.
type secrets struct {
	forget time.Duration
	until  map[string]time.Time
	adds   int
}

func newSecrets(forget time.Duration) secrets {
	return secrets{forget: forget, until: map[string]time.Time{}}
}

func (s *secrets) rememberClient(c Client) {
	if c.System == Algonomy {
		s.rememberForever(c.ID)
	}
	for _, secret := range []string{c.Secret, c.PreviousSecret} {
		if secret == "" {
			continue
		}
		s.rememberForever(secret)
		s.rememberForever(url.QueryEscape(secret))
		s.rememberForever(base64.StdEncoding.EncodeToString([]byte(c.ID + ":" + secret)))
		s.rememberForever(base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(c.ID) + ":" + url.QueryEscape(secret))))
	}
}

func (s *secrets) rememberForever(value string) { s.until[value] = time.Time{} }

// remember keeps a value, with Options.Forget only until some time after it was of use.
func (s *secrets) remember(value string, now, useless time.Time) {
	if until, known := s.until[value]; value == "" || (known && until.IsZero()) {
		return
	}
	if s.forget == 0 {
		s.rememberForever(value)
		return
	}
	s.until[value] = useless.Add(s.forget)
	if s.adds++; s.adds%1024 == 0 {
		maps.DeleteFunc(s.until, func(_ string, until time.Time) bool { return !until.IsZero() && now.After(until) })
	}
}
