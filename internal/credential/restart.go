// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
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
)

// RestartStatusOf returns the entry of a workload in status. Nil: there is none, or none that names a data revision.
func RestartStatusOf(told []v1alpha1.RolloutRestartStatus, ref v1alpha1.RolloutRestart) *v1alpha1.RolloutRestartStatus {
	for i := range told {
		if told[i].Kind == ref.Kind && told[i].Name == ref.Name && told[i].DataRevision != "" {
			return &told[i]
		}
	}
	return nil
}

// RestartState is what is known of a workload of spec.rolloutRestart before it is looked at. Deciding from it is pure.
type RestartState struct {
	Object   types.NamespacedName
	Workload v1alpha1.RolloutRestart
	// Status is what status says of it. Nil: nothing, it is new in the list, or the target was empty until now.
	Status *v1alpha1.RolloutRestartStatus
	// DataRevision is the name of the data that the target holds.
	DataRevision string
	// Wait is what it waited for when it was last thought of.
	Wait RestartWait
}

// A RestartWait is until when a data revision is waited with. Nothing is lost with it: the next process begins to wait anew.
type RestartWait struct {
	DataRevision string
	Until        time.Time
}

// Due says when the workload is to be looked at. Zero: not before something changes.
func (o *RestartState) Due(now time.Time) time.Time {
	if o.Status == nil {
		return now // it may have been restarted for an object of this name that was deleted
	}
	if o.Status.DataRevision == o.DataRevision && !mayBeFixed(o.Status.Reason) {
		return time.Time{}
	}
	until := o.Wait.Until
	if o.Wait.DataRevision == o.DataRevision && until.Sub(now) <= ForbiddenAgain {
		return until
	}
	settled := now.Add(settling)
	if until.After(now) && until.Before(settled) {
		return until
	}
	return settled
}

// mayBeFixed reports whether an obstacle may go away without anybody telling us.
func mayBeFixed(reason string) bool {
	switch reason {
	case v1alpha1.EventRolloutRestartNotAllowed, v1alpha1.EventRolloutRestartForbidden, v1alpha1.EventRolloutRestartFailed:
		return true
	}
	return false
}

// EntryStatus is what status says of the workload if nothing happens.
func (o *RestartState) EntryStatus() v1alpha1.RolloutRestartStatus {
	entry := v1alpha1.RolloutRestartStatus{DataRevision: o.DataRevision}
	if o.Status != nil {
		entry = *o.Status
	}
	entry.Kind, entry.Name = o.Workload.Kind, o.Workload.Name
	if entry.Reason == v1alpha1.EventRolloutRestartDisabled {
		entry.Reason, entry.Message = "", ""
	}
	return entry
}

// A Workload is what was read of one from the API server.
type Workload struct {
	Found   bool
	Version string
	// Allowed is the annotation with which it names the objects that may restart it.
	Allowed     string
	RestartedAt time.Time
	// DataRevisions are those that it was last restarted for, by restartKey of their objects.
	DataRevisions map[string]string
}

// Allows reports whether an object may restart the workload: whoever runs it says so, as its author may have no rights over workloads.
func (w *Workload) Allows(object string) bool {
	for entry := range strings.SplitSeq(w.Allowed, ",") {
		if entry = strings.TrimSpace(entry); entry == "*" || entry == object {
			return true
		}
	}
	return false
}

// A ObjectRevision is the data revision of an object's target.
type ObjectRevision struct {
	Object, DataRevision string
	// Waiting reports whether the workload is yet to be restarted for it.
	Waiting bool
}

// RestartedFor is what is written down on a workload: as much as is sure to fit. Those that wait go first, so that each restart covers as many as it can.
func RestartedFor(own ObjectRevision, others []ObjectRevision) map[string]string {
	slices.SortStableFunc(others, func(a, b ObjectRevision) int {
		switch {
		case a.Waiting == b.Waiting:
			return 0
		case a.Waiting:
			return -1
		}
		return 1
	})
	kept := map[string]string{restartKey(own.Object): own.DataRevision}
	for _, r := range others[:min(len(others), maxRestartedFor-1)] {
		kept[restartKey(r.Object)] = r.DataRevision
	}
	return kept
}

// restartKey stands for an object on a workload. All have one length, since names are up to 253 characters.
func restartKey(object string) string {
	sum := sha256.Sum256([]byte(object))
	return hex.EncodeToString(sum[:8])
}

// A RestartPlan is what to do about a workload that was read.
type RestartPlan struct {
	Status v1alpha1.RolloutRestartStatus
	// Restart says that it is to be restarted now.
	Restart bool
	// Until is when it is to be looked at again. Zero: not before something changes.
	Until time.Time
}

// Decide says what is to be done about a workload that was looked at.
func (o *RestartState) Decide(w Workload, now time.Time) RestartPlan {
	entry := o.EntryStatus()
	entry.Reason, entry.Message = "", ""
	if !w.Found {
		if entry.DataRevision != o.DataRevision { // else there has been nothing to restart it for: it may well be on its way
			entry.Reason, entry.Message = v1alpha1.EventWorkloadNotFound, workloadMissing(o.Workload)
		}
		entry.DataRevision = o.DataRevision // one that is made later begins with the data of then
		return RestartPlan{Status: entry}
	}
	if !w.Allows(o.Object.Name) {
		entry.Reason, entry.Message = v1alpha1.EventRolloutRestartNotAllowed, restartNotAllowed(o.Object, o.Workload)
		return RestartPlan{Status: entry, Until: now.Add(ForbiddenAgain)}
	}
	// It knows better than status: another object's pass may have restarted it, or a process that died before it could say so, or one for an
	// object of this name that was deleted since.
	if begunWith := w.DataRevisions[restartKey(o.Object.Name)]; begunWith != "" && len(begunWith) <= maxDataRevision {
		entry.DataRevision, entry.LastRestartTime = begunWith, wholeSecond(w.RestartedAt)
	}
	if entry.DataRevision == o.DataRevision {
		return RestartPlan{Status: entry}
	}
	if free := w.RestartedAt.Add(restartInterval); now.Before(free) && w.RestartedAt.Sub(now) <= restartInterval { // else whoever wrote it has another clock
		return RestartPlan{Status: entry, Until: free}
	}
	return RestartPlan{Status: entry, Restart: true}
}

// Restarted is the entry of a workload that was restarted just now.
func (o *RestartState) Restarted(now time.Time) v1alpha1.RolloutRestartStatus {
	return v1alpha1.RolloutRestartStatus{Kind: o.Workload.Kind, Name: o.Workload.Name, DataRevision: o.DataRevision, LastRestartTime: wholeSecond(now)}
}

// Blocked is the entry of a workload that could not be restarted, or not even looked at.
func (o *RestartState) Blocked(reason, message string) v1alpha1.RolloutRestartStatus {
	entry := o.EntryStatus()
	entry.Reason, entry.Message = reason, message
	return entry
}
