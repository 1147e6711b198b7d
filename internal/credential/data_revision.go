// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/hex"
	"time"
)

const (
	// settling is how long a change of data waits for others, so that credentials that are renewed together make one restart.
	settling = 10 * time.Second
	// restartInterval is the least time between two restarts of one workload, whoever they are for.
	restartInterval = time.Minute
	// ForbiddenAgain is how long to wait before a workload is tried again whose rights or consent were missing.
	ForbiddenAgain = 5 * time.Minute
	// FailedAgain is the same after an error of the API server.
	FailedAgain = 30 * time.Second
	// maxRestartedFor is how many objects a restart is written down for on the workload: 38 KB, where all annotations together may have 256 KiB.
	maxRestartedFor = 1000
	// maxDataRevision bounds what is believed to be a data revision, since others may write where it is kept.
	maxDataRevision = 16
)

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
