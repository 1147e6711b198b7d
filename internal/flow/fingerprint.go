// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// Fingerprint tells requests apart without giving them away: equal fingerprints under one salt mean that the same would be sent to the same place and
// the answer read in the same way. values are those of the client Secret by Field, and may be nil; issue tells one writing of a client Secret that
// the operator itself wrote from the next. 32 hexadecimal digits. An empty setting or value is not written, so that those of a later version leave the
// fingerprints of today as they are.
func (f *Flow) Fingerprint(salt []byte, values map[string]string, issue string) string {
	return f.fingerprint(salt, values, issue, true)
}

// FingerprintWithoutUpdatable is Fingerprint without the settings that Update changes. Requests that differ by Fingerprint and not by this one are an
// update of one token. Empty: the flow has no update.
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
	clear(p.written) // it has secrets in it
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// pieces writes named values so that no two different lists of them are written alike: every piece is preceded by its length, and every
// list by the number of its pieces.
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
