package exchange

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
)

// Fingerprint tells requests apart without giving them away: equal fingerprints under one salt mean that the same would be sent to the
// same place and the answer read in the same way. It covers every field but Namespace, Update and ClockOffset, which are about how a token is got and not which.
// 32 hexadecimal digits. A default that is written out is the same as an empty field, and an empty field is not written, so that
// those of a later version leave the fingerprints of today as they are.
func (r Request) Fingerprint(salt []byte) string {
	r = r.withDefaults()
	p := pieces{}
	p.text("provider", string(r.Provider))
	p.text("url", r.URL)

	c := r.Client
	p.text("client id", string(c.ID))
	p.text("client secret", string(c.Secret))
	p.text("private key", string(c.PrivateKey))
	p.text("passphrase", string(c.Passphrase))
	p.text("key id", string(c.KeyID))
	p.text("tenant hash", string(c.TenantHash))
	p.text("oauth key secret", string(c.OAuthKeySecret))
	p.text("token id", string(c.TokenID))
	p.text("token secret", string(c.TokenSecret))
	p.text("issue", r.Issue)

	p.list("scopes", r.Scopes)
	p.text("scope separator", r.ScopeSeparator)
	p.text("audience", r.Audience)
	p.text("assertion audience", r.AssertionAudience)
	p.list("resources", r.Resources)
	p.text("organization id", r.OrganizationID)
	p.text("sandbox name", r.SandboxName)
	p.text("technical account id", r.TechnicalAccountID)
	p.list("metascopes", r.Metascopes)
	p.text("api", r.API)
	if r.Validity != 0 {
		p.text("validity", r.Validity.String())
	}

	p.text("auth method", string(r.AuthMethod))
	p.text("body format", string(r.BodyFormat))
	p.pairs("parameters", r.Parameters)
	p.pairs("headers", r.Headers)
	p.text("token field", r.TokenField)
	p.text("expires in field", r.ExpiresInField)
	p.text("expires in unit", string(r.ExpiresInUnit))
	if r.DefaultLifetime != 0 {
		p.text("default lifetime", r.DefaultLifetime.String())
	}
	mac := hmac.New(sha256.New, salt)
	mac.Write(p.written)
	clear(p.written) // it has secrets in it
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// WithoutResources is the request without its resources. Two requests that differ, but not without their resources, are an update
// of one Algonomy token.
func (r Request) WithoutResources() Request {
	r.Resources = nil
	return r
}

// pieces writes named values so that no two different lists of them are written alike: every piece is preceded by its length, and every
// list by the number of its pieces.
type pieces struct{ written []byte }

func (p *pieces) text(name, value string) {
	if value != "" {
		p.begin(name, 1)
		p.piece(value)
	}
}

func (p *pieces) list(name string, values []string) {
	if len(values) == 0 {
		return
	}
	p.begin(name, len(values))
	for _, value := range values {
		p.piece(value)
	}
}

func (p *pieces) begin(name string, n int) {
	p.piece(name)
	p.written = append(strconv.AppendInt(p.written, int64(n), 10), ':')
}

func (p *pieces) piece(text string) {
	p.written = append(strconv.AppendInt(p.written, int64(len(text)), 10), ':')
	p.written = append(p.written, text...)
}

func (p *pieces) pairs(name string, values map[string]string) {
	var flat []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		flat = append(flat, key, values[key])
	}
	p.list(name, flat)
}
