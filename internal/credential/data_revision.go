// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"cmp"
	"encoding/hex"
)

// maxDataRevision bounds what is believed to be a data revision, since others may write where it is kept.
const maxDataRevision = 16

// unnamed is the data revision of a target that was written by a version which gave none.
const unnamed = "unnamed"

// KeepsDataRevision reports whether data that is about to be written keeps the random ID that it has: only where no data can have changed whatever the
// values are, with the same token under the same templates, in a target that nobody edited. Everything else gets a new ID, whether or not the data
// differs: status and pod templates show it to people who may not read Secrets, and an ID that stayed while the data did would tell them whether a guess
// was right.
func KeepsDataRevision(s *State, rec *PersistedState) bool {
	sameData := rec.TemplatesHash == templatesHash(&s.Object.Spec.Target) && s.Current.Content == ContentIntact && !s.IsMoving()
	return rec.DataRevision != "" && sameData
}

// SetDataRevision gives data that is about to be written a new random ID.
func SetDataRevision(s *State, rec *PersistedState, id []byte) {
	rec.DataRevision, rec.TemplatesHash = hex.EncodeToString(id), templatesHash(&s.Object.Spec.Target)
}

// DataRevision is the name of the data that the target holds. Empty: it holds none of the object's.
func (t *TargetSecret) DataRevision(object string) string {
	if !t.HasToken() || t.Owner() != object {
		return ""
	}
	if len(t.Persisted.DataRevision) > maxDataRevision {
		return unnamed
	}
	return cmp.Or(t.Persisted.DataRevision, unnamed)
}
