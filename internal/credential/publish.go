// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"fmt"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

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

// answers reports whether a token that was issued and not yet written is what is asked for now, and lives. One that was issued for another client
// Secret is not taken for this one's, even if the values are the same: that would tell that they are.
func (p *Publication) answers(s *State, req exchange.Request) bool {
	sameRequest := p.Persisted.SpecHash == s.Desired.SpecHash && p.Request.Fingerprint(s.Salt) == req.Fingerprint(s.Salt)
	return sameRequest && !p.Persisted.Expired(s.Now)
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

// Published returns the state once the target was written.
func (s *State) Published(p *Publication, version string) *State {
	want := DesiredMetadata(s.Object, p.Persisted.LocalExpiry(), p.Persisted.Shared)
	target := TargetSecret{
		Name: s.Target.Name, Found: true, Version: version, Persisted: &p.Persisted, Content: ContentIntact,
		ForeignKeys: Without(s.Target.ForeignKeys, p.Persisted.Keys),
	}
	target.Metadata.Labels, target.Metadata.Annotations, target.Metadata.OwnerReferences = want.Labels, want.Annotations, want.OwnerReferences(nil)
	after := *s
	after.ClockAhead, after.Target, after.Current, after.Repeated = p.Persisted.ClockAhead, target, target, s.Repeated && p.Repeated
	return &after
}
