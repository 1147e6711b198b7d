// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// needles finds secrets in large texts, in any encoding.
type needles struct {
	byStart map[uint64][]needle // by their first eight bytes
}

type needle struct {
	text string
	// of identifies the secret, by its end, and the encoding.
	of string
}

// newNeedles skips secrets of less than eight bytes, which would be found everywhere.
func newNeedles(secrets []string) *needles {
	n := &needles{byStart: map[uint64][]needle{}}
	for _, secret := range secrets {
		if len(secret) < 8 {
			continue
		}
		for form, text := range writings(secret) {
			if len(text) < 8 {
				continue
			}
			start := binary.BigEndian.Uint64([]byte(text))
			n.byStart[start] = append(n.byStart[start], needle{text, form + " of …" + secret[len(secret)-6:]})
		}
	}
	return n
}

// writings returns the encodings in which a secret may show up.
func writings(secret string) map[string]string {
	all := map[string]string{
		"text":  secret,
		"query": url.QueryEscape(secret),
		"path":  url.PathEscape(secret),
		"hex":   hex.EncodeToString([]byte(secret)),
	}
	// In base64 the same text looks different at each of three offsets. The first and last characters depend on what surrounds it.
	for offset := range 3 {
		padded := strings.Repeat("x", offset) + secret
		whole := len(padded) / 3 * 3
		encoded := base64.StdEncoding.EncodeToString([]byte(padded[:whole]))
		if offset > 0 {
			encoded = encoded[4:]
		}
		all["base64 at "+string(rune('0'+offset))] = encoded
		all["base64url at "+string(rune('0'+offset))] = strings.NewReplacer("+", "-", "/", "_").Replace(encoded)
	}
	return all
}

// in returns the first needles found in a text, and what precedes them.
func (n *needles) in(text []byte) []string {
	var found []string
	var window uint64
	for i, b := range text {
		window = window<<8 | uint64(b)
		if i < 7 {
			continue
		}
		for _, needle := range n.byStart[window] {
			rest := text[i-7:]
			if len(rest) >= len(needle.text) && string(rest[:len(needle.text)]) == needle.text && len(found) < 10 {
				found = append(found, fmt.Sprintf("%s after %q", needle.of, text[max(0, i-7-300):i-7]))
			}
		}
	}
	return found
}

func TestNeedlesFindEveryEncoding(t *testing.T) {
	t.Parallel()
	const secret = "s+e/c=r:e%t!&x y-0123456789"
	n := newNeedles([]string{secret})
	for name, text := range map[string]string{
		"as it is":         "level=info secret=" + secret + " end",
		"in a query":       "?client_secret=" + url.QueryEscape(secret) + "&x=y",
		"in a path":        "/" + url.PathEscape(secret),
		"in hex":           hex.EncodeToString([]byte("a" + secret + "b")),
		"in base64":        base64.StdEncoding.EncodeToString([]byte(secret)),
		"in base64, later": base64.StdEncoding.EncodeToString([]byte(`{"data":"` + secret + `"}`)),
		"in base64url":     base64.RawURLEncoding.EncodeToString([]byte("id:" + secret + "?")),
	} {
		if len(n.in([]byte(text))) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
	if found := n.in([]byte("nothing of it: s+e/c=r:e%t!&x y-012345678")); found != nil {
		t.Errorf("found %v in a text without the secret", found)
	}
}
