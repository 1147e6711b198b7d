// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"cmp"
	"encoding/hex"
)

const (
	// maxDataRevision bounds what is taken for a data revision, since others may write the annotation that has it.
	maxDataRevision = 16
	// unnamed is the data revision of a target that an earlier version of the operator wrote without one.
	unnamed = "unnamed"
)

// DataRevision returns the random ID of the data that the target holds. Empty: it holds none of the object's.
func (t *TargetSecret) DataRevision(object string) string {
	if !t.HasToken() || t.Owner() != object {
		return ""
	}
	if len(t.Persisted.DataRevision) > maxDataRevision {
		return unnamed
	}
	return cmp.Or(t.Persisted.DataRevision, unnamed)
}

// KeepsDataRevision reports whether data that is about to be written keeps its random ID. It does only if the data cannot have changed, whatever the
// values are: the same token under the same templates, in a target that nobody edited. Everything else gets a new ID, whether or not the data differs.
// The ID is visible, in status and in pod templates, to people who may not read Secrets. One that depended on the data would tell them whether a guess
// was right.
func KeepsDataRevision(s *State, p *PersistedState) bool {
	sameTemplates := p.TemplatesHash == templatesHash(&s.Object.Spec.Target)
	untouched := s.Current.Content == ContentIntact && !s.IsMoving()
	return p.DataRevision != "" && sameTemplates && untouched
}

// SetDataRevision gives data that is about to be written a new random ID.
func SetDataRevision(s *State, p *PersistedState, id []byte) {
	p.DataRevision, p.TemplatesHash = hex.EncodeToString(id), templatesHash(&s.Object.Spec.Target)
}
