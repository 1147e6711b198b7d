// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/render"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// Publication is a token on its way into the target, with all that the record says of it.
type Publication struct {
	Token     exchange.Token
	Request   exchange.Request
	Persisted PersistedState
	// Revised says that the record has its data revision: it is made with the first try to write it, as a try whose answer was lost is recognized by
	// the record.
	Revised bool
	// Repeated says that it is the held token again.
	Repeated bool
	// DryRun says that the API server is to say what it would do, and not to do it.
	DryRun bool
}

// TargetData is the target's data: the token, the headers that go with it, and the user's templates.
func TargetData(obj *v1alpha1.CDPCredential, p *Publication) (map[string][]byte, error) {
	headers := p.Request.APIHeaders(p.Token.Value, p.Token.Type)
	data := map[string][]byte{}
	values := render.Values{
		Token: string(p.Token.Value), TokenType: p.Token.Type, ClientID: string(p.Request.ClientID()), Scopes: p.Persisted.Granted, Headers: headers,
	}
	if values.Scopes == nil {
		values.Scopes = p.Request.Flow.Scopes()
	}
	if !p.Persisted.ExpiresAt.IsZero() {
		values.ExpiresAt = expiryText(p.Persisted.LocalExpiry())
	}
	carrier := p.Request.Flow.CarrierHeader()
	if static := p.Request.Flow.Static; static != nil {
		data["username"] = []byte(p.Request.Values[static.Username])
		data["password"] = []byte(p.Request.Values[static.Password])
		data["authorization"] = []byte(headers[carrier])
	} else {
		data["token"] = []byte(p.Token.Value)
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

// NewPublication makes the record of a new token, for which it needs a salt, or the changed one of an updated token.
func NewPublication(s *State, plan Plan, req exchange.Request, got exchange.Token, salt []byte) *Publication {
	rec := PersistedState{}
	if plan.Action == ActionUpdate {
		rec = *s.Current.Persisted
		got.Life = rec.life()
		got.Type = rec.TokenType
	} else {
		rec.Object, rec.Cause, rec.HandledRequest = s.Object.Name, plan.Cause, RefreshRequest(s.Object)
		rec.Salt = salt
		rec.IssuedAt, rec.ExpiresAt = got.Life.IssuedAt.UTC(), got.Life.ExpiresAt.UTC()
		rec.TokenType, rec.Granted = got.Type, boundedScopes(got.Granted)
		count := IssuedToday(s)
		count.Count++
		rec.Issuance = &count
		rec.SameCount = sameOf(s, plan, got)
		if s.Current.Persisted != nil {
			rec.Warned = s.Current.Persisted.Warned
		}
	}
	if !s.Desired.Flow.Exchanges() {
		rec.IssuedAt, rec.ExpiresAt, rec.Issuance = time.Time{}, time.Time{}, nil
	}
	req.HeldToken = ""
	DescribeRequest(&rec, s, req)
	p := &Publication{Token: got, Request: req, Persisted: rec}
	p.Persisted.Warned = warningNames(s, p)
	return p
}

// Republication is the held token again, of which the record says all but its value.
func Republication(req exchange.Request, rec PersistedState, value exchange.Secret) *Publication {
	return &Publication{Token: exchange.Token{Value: value, Type: rec.TokenType, Granted: rec.Granted, Life: rec.life()}, Request: req, Persisted: rec, Repeated: true}
}

// DescribeRequest notes in a record what its token was asked for with.
func DescribeRequest(rec *PersistedState, s *State, req exchange.Request) {
	rec.SpecHash, rec.SpecHashWithoutUpdatable, rec.ClientVersion = s.Desired.SpecHash, s.Desired.SpecHashWithoutUpdatable, s.Client.Version
	rec.RequestHash, rec.RequestHashWithoutUpdatable = req.Fingerprint(rec.Salt), req.FingerprintWithoutUpdatable(rec.Salt)
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

// TargetMetadata completes the record for a target that holds what the view says of it, and gives the metadata that it is to be written with.
func (p *Publication) TargetMetadata(s *State, data map[string][]byte) (TargetMetadata, error) {
	p.Persisted.Shared = s.Target.SharedBeside(p.Persisted.Keys)
	want := DesiredMetadata(s.Object, p.Persisted.LocalExpiry(), p.Persisted.Shared)
	p.Persisted.Labels, p.Persisted.Annotations = SortedKeys(want.Labels), SortedKeys(want.Annotations)
	p.Persisted.TokenMAC, p.Persisted.DataMAC = p.Persisted.TokenMACOf(p.Persisted.TokenIn(data)), p.Persisted.DataMACOf(data, p.Persisted.Keys)
	state, err := json.Marshal(p.Persisted.OnLocalClock())
	if err != nil {
		return TargetMetadata{}, fmt.Errorf("write the record: %w", err)
	}
	want.Annotations[v1alpha1.StateAnnotation] = string(state)
	return want, nil
}

// ChangeTakenBack reports whether the change that called for an exchange is none any more: the request is the one that the current token is from.
func ChangeTakenBack(s *State, plan Plan, req exchange.Request) bool {
	return plan.Cause == CauseChanged && s.Desired.Flow.Exchanges() && isRecorded(s, req)
}

// isRecorded reports whether the target says that its token is from this request.
func isRecorded(s *State, req exchange.Request) bool {
	rec := s.Current.Persisted
	return rec.SpecHash == s.Desired.SpecHash && CompareRequests(rec, req) == Same
}

// CurrentToken is the current token on its way into the target again. What has just been changed stays visible to the next reconcile.
func CurrentToken(s *State, req exchange.Request, value exchange.Secret) *Publication {
	rec := *s.Current.Persisted
	if isRecorded(s, req) {
		rec.ClientVersion = s.Client.Version
	}
	return Republication(req, rec, value)
}

// placeholder is written in a rehearsal in place of a token.
const placeholder = "placeholder-for-a-token"

// NewRehearsal is a token that is not there yet, for the API server to reports whether it could be written.
func NewRehearsal(s *State, plan Plan, req exchange.Request, salt []byte) *Publication {
	life := token.Life{IssuedAt: s.Now, ExpiresAt: s.Now.Add(time.Hour)}
	p := NewPublication(s, Plan{Action: ActionIssue, Cause: plan.Cause}, req, exchange.Token{Value: placeholder, Type: "Bearer", Life: life}, salt)
	p.DryRun = true
	return p
}

// Published brings the state up to date with what was written.
func (s *State) Published(p *Publication, version string) {
	want := DesiredMetadata(s.Object, p.Persisted.LocalExpiry(), p.Persisted.Shared)
	s.ClockAhead = p.Persisted.ClockAhead
	s.Target = TargetSecret{
		Name: s.Target.Name, Found: true, Version: version, Persisted: &p.Persisted, Content: ContentIntact,
		ForeignKeys: Without(s.Target.ForeignKeys, p.Persisted.Keys),
	}
	s.Target.Metadata.Labels, s.Target.Metadata.Annotations, s.Target.Metadata.OwnerReferences = want.Labels, want.Annotations, want.OwnerReferences(nil)
	s.Current = s.Target
	s.Repeated = s.Repeated && p.Repeated
}
