package controllers

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/render"
)

// publication is a token on its way into the target, with all that the record says of it.
type publication struct {
	token exchange.Token
	req   exchange.Request
	rec   record
	// revised says that the record has its data revision: it is made with the first try to write it, as a try whose answer was lost is recognized by
	// the record.
	revised bool
	// repeated says that it is the held token again.
	repeated bool
	// rehearsal says that the API server is to say what it would do, and not to do it.
	rehearsal bool
}

// dataFor is the target's data: the token, the headers that go with it, and the user's templates.
func dataFor(obj *v1alpha1.CDPCredential, p *publication) (map[string][]byte, error) {
	headers := p.req.APIHeaders(p.token.Value, p.token.Type)
	data := map[string][]byte{}
	values := render.Values{
		Token: string(p.token.Value), TokenType: p.token.Type, ClientID: string(p.req.ClientID()), Scopes: p.rec.Granted, Headers: headers,
	}
	if values.Scopes == nil {
		values.Scopes = p.req.Flow.Scopes()
	}
	if !p.rec.ExpiresAt.IsZero() {
		values.ExpiresAt = expiryText(p.rec.shownExpiry())
	}
	carrier := p.req.Flow.CarrierHeader()
	if static := p.req.Flow.Static; static != nil {
		data["username"] = []byte(p.req.Values[static.Username])
		data["password"] = []byte(p.req.Values[static.Password])
		data["authorization"] = []byte(headers[carrier])
	} else {
		data["token"] = []byte(p.token.Value)
		for name, value := range headers {
			if name != carrier {
				data[name] = []byte(value)
			}
		}
	}
	templates, err := render.Compile(textMap(obj.Spec.Target.Data))
	if err != nil {
		return nil, err
	}
	rendered, err := templates.Render(values)
	if err != nil {
		return nil, err
	}
	maps.Copy(data, rendered)
	return data, nil
}

// publicationOf makes the record of a new token, or the changed one of an updated token.
func (r *CDPCredentialReconciler) publicationOf(v *view, s step, req exchange.Request, got exchange.Token) (*publication, error) {
	rec := record{}
	if s.action == update {
		rec = *v.held.rec
		got.Life = rec.life()
		got.Type = rec.TokenType
	} else {
		rec.Object, rec.Cause, rec.Handled = v.obj.Name, s.cause, refreshRequest(v.obj)
		rec.Salt = make([]byte, 16)
		if _, err := r.Rand.Read(rec.Salt); err != nil {
			return nil, fmt.Errorf("make a salt: %w", err)
		}
		rec.IssuedAt, rec.ExpiresAt = got.Life.IssuedAt.UTC(), got.Life.ExpiresAt.UTC()
		rec.TokenType, rec.Granted = got.Type, boundedScopes(got.Granted)
		count := issuance(v)
		count.Count++
		rec.Issuance = &count
		rec.Same = sameOf(v, s, got)
		if v.held.rec != nil {
			rec.Warned = v.held.rec.Warned
		}
	}
	if !v.intent.flow.Exchanges() {
		rec.IssuedAt, rec.ExpiresAt, rec.Issuance = time.Time{}, time.Time{}, nil
	}
	req.HeldToken = ""
	describeRequest(&rec, v, req)
	p := &publication{token: got, req: req, rec: rec}
	p.rec.Warned = warned(v, p)
	return p, nil
}

// publicationOfHeld is the held token again, of which the record says all but its value.
func publicationOfHeld(req exchange.Request, rec record, value exchange.Secret) *publication {
	return &publication{token: exchange.Token{Value: value, Type: rec.TokenType, Granted: rec.Granted, Life: rec.life()}, req: req, rec: rec, repeated: true}
}

// describeRequest notes in a record what its token was asked for with.
func describeRequest(rec *record, v *view, req exchange.Request) {
	rec.Asked, rec.AskedRest, rec.Client = v.intent.asked, v.intent.askedRest, v.client.version
	rec.Request, rec.Rest = req.Fingerprint(rec.Salt), req.FingerprintWithoutUpdatable(rec.Salt)
}

// compareRequests says in what a request differs from the one that a record is of.
func compareRequests(rec *record, req exchange.Request) difference {
	switch {
	case req.Fingerprint(rec.Salt) == rec.Request:
		return same
	case rec.Rest != "" && req.FingerprintWithoutUpdatable(rec.Salt) == rec.Rest:
		return resourcesOnly
	}
	return different
}

// boundedScopes keeps what an endpoint says within what status should hold.
func boundedScopes(granted []string) []string {
	var kept []string
	for _, scope := range granted[:min(len(granted), 100)] {
		if clean := strings.Map(scopeCharacter, scope); clean == scope && len(scope) <= 256 {
			kept = append(kept, scope)
		}
	}
	return kept
}

// scopeCharacter drops what RFC 6749 section 3.3 does not allow.
func scopeCharacter(c rune) rune {
	if c == '"' || c == '\\' || c <= ' ' || c > '~' {
		return -1
	}
	return c
}
