// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"fmt"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TargetMetadata completes the persisted state for the target as it is, and returns the metadata to write.
func (p *Publication) TargetMetadata(s *State, data map[string][]byte) (TargetMetadata, error) {
	written := &p.Persisted
	written.Shared = s.Target.SharedBeside(written.Keys)
	want := desiredMetadata(s.Object, written.LocalExpiry(), written.Shared)
	written.Labels, written.Annotations = SortedKeys(want.Labels), SortedKeys(want.Annotations)
	written.TokenMAC, written.DataMAC = written.TokenMACOf(written.TokenIn(data)), written.DataMACOf(data, written.Keys)
	text, err := json.Marshal(written.OnLocalClock())
	if err != nil {
		return TargetMetadata{}, fmt.Errorf("encode the persisted state: %w", err)
	}
	want.Annotations[v1alpha1.StateAnnotation] = string(text)
	return want, nil
}

// Published returns the state after the target was written.
func (s *State) Published(p *Publication, version string) *State {
	want := desiredMetadata(s.Object, p.Persisted.LocalExpiry(), p.Persisted.Shared)
	target := TargetSecret{
		Name: s.Target.Name, Found: true, Version: version, Persisted: &p.Persisted, Content: ContentIntact,
		ForeignKeys: Without(s.Target.ForeignKeys, p.Persisted.Keys),
	}
	target.Metadata.Labels, target.Metadata.Annotations, target.Metadata.OwnerReferences = want.Labels, want.Annotations, want.OwnerReferences(nil)
	after := *s
	after.ClockAhead, after.Target, after.Current, after.Repeated = p.Persisted.ClockAhead, target, target, s.Repeated && p.Repeated
	return &after
}
