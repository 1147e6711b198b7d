// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// Fingerprint identifies a request without revealing it: with the same salt, equal fingerprints mean that the same is sent to the same place and
// the answer is read the same way. It is 32 hexadecimal digits. values are those of the client Secret by Field, and may be nil. issue distinguishes
// successive versions of a client Secret that the operator itself writes. Empty settings and values are left out, so that new ones
// in a later version do not change existing fingerprints.
func (f *Flow) Fingerprint(salt []byte, values map[string]string, issue string) string {
	return f.fingerprint(salt, values, issue, true)
}

// FingerprintWithoutUpdatable is Fingerprint without the settings that Update can change. If only Fingerprint differs between two requests,
// an update of the token is enough. Empty if the flow has no Update.
func (f *Flow) FingerprintWithoutUpdatable(salt []byte, values map[string]string, issue string) string {
	if f.Update == nil {
		return ""
	}
	return f.fingerprint(salt, values, issue, false)
}

func (f *Flow) fingerprint(salt []byte, values map[string]string, issue string, updatable bool) string {
	p := pieces{}
	p.add("provider", f.Kind)
	p.add("url", f.Address)
	for _, key := range f.Keys {
		p.add(cmp.Or(key.fingerprinted, key.Field), values[key.Field])
	}
	p.add("issue", issue)
	for _, s := range f.Settings {
		if updatable || !s.Updatable {
			p.list(s.Name, s.Values)
		}
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write(p.written)
	clear(p.written) // it contains secrets
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// pieces encodes named values unambiguously: every piece is preceded by its length, and every list by the number of its pieces.
type pieces struct{ written []byte }

func (p *pieces) add(name, value string) {
	if value != "" {
		p.list(name, []string{value})
	}
}

func (p *pieces) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	p.piece(name)
	p.written = append(strconv.AppendInt(p.written, int64(len(values)), 10), ':')
	for _, value := range values {
		p.piece(value)
	}
}

func (p *pieces) piece(text string) {
	p.written = append(strconv.AppendInt(p.written, int64(len(text)), 10), ':')
	p.written = append(p.written, text...)
}
