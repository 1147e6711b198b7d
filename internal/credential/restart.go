// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const (
	// settling is how long a change of data waits for others, so that credentials that are renewed together cause one restart.
	settling = 10 * time.Second
	// restartInterval is the least time between two restarts of one workload, whichever object they are for.
	restartInterval = time.Minute
	// ForbiddenAgain is the retry interval for a workload that does not consent, or for which the operator lacks rights.
	ForbiddenAgain = 5 * time.Minute
	// FailedAgain is the retry interval after any other error of the API server.
	FailedAgain = 30 * time.Second
	// maxRestartedFor bounds how many objects are recorded on a workload: 38 KB, of the 256 KiB that all annotations together may have.
	maxRestartedFor = 1000
)

// RestartState is what is known of a workload in spec.rolloutRestart before it is read.
type RestartState struct {
	Object   types.NamespacedName
	Workload v1alpha1.RolloutRestart
	// Status is the workload's entry in status. Nil: it is new in the list, or the target was empty until now.
	Status *v1alpha1.RolloutRestartStatus
	// DataRevision identifies the data that the target holds.
	DataRevision string
	// Wait is what the last reconcile decided to wait for.
	Wait RestartWait
}

// A RestartWait is how long a restart for a data revision waits. If the process ends, the next one begins to wait anew.
type RestartWait struct {
	DataRevision string
	Until        time.Time
}

// RestartStatusOf returns the entry of a workload in status. Nil: there is none, or none with a data revision.
func RestartStatusOf(entries []v1alpha1.RolloutRestartStatus, ref v1alpha1.RolloutRestart) *v1alpha1.RolloutRestartStatus {
	for i, entry := range entries {
		if entry.Kind == ref.Kind && entry.Name == ref.Name && entry.DataRevision != "" {
			return &entries[i]
		}
	}
	return nil
}

// Due returns when the workload has to be read. Zero: not before something changes.
func (o *RestartState) Due(now time.Time) time.Time {
	if o.Status == nil {
		return now // it may have been restarted for a deleted object of the same name
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

// mayBeFixed reports whether what prevented a restart may go away without an event for us.
func mayBeFixed(reason string) bool {
	switch reason {
	case v1alpha1.EventRolloutRestartNotAllowed, v1alpha1.EventRolloutRestartForbidden, v1alpha1.EventRolloutRestartFailed:
		return true
	}
	return false
}

// EntryStatus returns the workload's entry in status if nothing happens.
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

// A RestartPlan is what to do about a workload that was read.
type RestartPlan struct {
	Status v1alpha1.RolloutRestartStatus
	// Restart says that it is to be restarted now.
	Restart bool
	// Until is when it has to be read again. Zero: not before something changes.
	Until time.Time
}

// Decide decides what to do about a workload that was read.
func (o *RestartState) Decide(w Workload, now time.Time) RestartPlan {
	entry := o.EntryStatus()
	entry.Reason, entry.Message = "", ""
	switch {
	case !w.Found:
		return o.decideMissing(entry)
	case !w.Allows(o.Object.Name):
		entry.Reason, entry.Message = v1alpha1.EventRolloutRestartNotAllowed, restartNotAllowed(o.Object, o.Workload)
		return RestartPlan{Status: entry, Until: now.Add(ForbiddenAgain)}
	}
	// The workload knows better than status: another object's reconcile may have restarted it, a process may have died before it could report the
	// restart, or it was restarted for a deleted object of the same name.
	if restartedFor := w.DataRevisions[restartKey(o.Object.Name)]; restartedFor != "" && len(restartedFor) <= maxDataRevision {
		entry.DataRevision, entry.LastRestartTime = restartedFor, wholeSecond(w.RestartedAt)
	}
	if entry.DataRevision == o.DataRevision {
		return RestartPlan{Status: entry}
	}
	if next := w.RestartedAt.Add(restartInterval); now.Before(next) && !w.restartedInFuture(now) {
		return RestartPlan{Status: entry, Until: next}
	}
	return RestartPlan{Status: entry, Restart: true}
}

// decideMissing reports a missing workload once there would have been a reason to restart it: it may just be about to be created. If it is created
// later, it starts with the data of that time.
func (o *RestartState) decideMissing(entry v1alpha1.RolloutRestartStatus) RestartPlan {
	if entry.DataRevision != o.DataRevision {
		entry.Reason, entry.Message = v1alpha1.EventWorkloadNotFound, workloadMissing(o.Workload)
	}
	entry.DataRevision = o.DataRevision
	return RestartPlan{Status: entry}
}

// Restarted returns the entry of a workload that was restarted now.
func (o *RestartState) Restarted(now time.Time) v1alpha1.RolloutRestartStatus {
	return v1alpha1.RolloutRestartStatus{Kind: o.Workload.Kind, Name: o.Workload.Name, DataRevision: o.DataRevision, LastRestartTime: wholeSecond(now)}
}

// Blocked returns the entry of a workload that could not be read or restarted.
func (o *RestartState) Blocked(reason, message string) v1alpha1.RolloutRestartStatus {
	entry := o.EntryStatus()
	entry.Reason, entry.Message = reason, message
	return entry
}

// An ObjectRevision is the data revision of an object's target.
type ObjectRevision struct {
	Object, DataRevision string
	// Waiting says that the workload has yet to be restarted for it.
	Waiting bool
}

// RestartedFor returns what is recorded on a workload: the data revisions that its pods start with, as many as are sure to fit. Those that wait for a
// restart go first, so that each restart covers as many as it can.
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
	recorded := map[string]string{restartKey(own.Object): own.DataRevision}
	for _, r := range others[:min(len(others), maxRestartedFor-1)] {
		recorded[restartKey(r.Object)] = r.DataRevision
	}
	return recorded
}

// restartKey stands for an object on a workload. All keys have the same length, while names have up to 253 characters.
func restartKey(object string) string {
	sum := sha256.Sum256([]byte(object))
	return hex.EncodeToString(sum[:8])
}

// restartedInFuture reports whether the last restart was recorded on a clock that disagrees with ours.
func (w *Workload) restartedInFuture(now time.Time) bool {
	return w.RestartedAt.Sub(now) > restartInterval
}

func workloadMissing(ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("%s %s of spec.rolloutRestart does not exist in this namespace: correct its name, or remove it from the list", ref.Kind, ref.Name)
}

// restartNotAllowed names a command that does not overwrite: the workload may allow others already.
func restartNotAllowed(object types.NamespacedName, ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("%s %s does not allow %s to restart it; whoever runs the workload allows it with: kubectl annotate %s -n %s %s '%s=%s' "+
		"(or adds the name to those that are there, after a comma)",
		ref.Kind, ref.Name, object.Name, strings.ToLower(string(ref.Kind)), object.Namespace, ref.Name, v1alpha1.AllowRestartAnnotation, object.Name)
}

// RestartForbidden is the message for a workload that the API server does not let the operator restart.
func RestartForbidden(ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("the API server does not let the operator restart %s %s: ask whoever runs the cluster for the operator's rights "+
		"(config/rollout-restart) and for admission policies", ref.Kind, ref.Name)
}

// RestartFailed is the message for any other error of the API server.
func RestartFailed(ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("%s %s could not be restarted; the operator retries: if it keeps failing, restart it with kubectl rollout restart and see the operator's log",
		ref.Kind, ref.Name)
}

// RestartDisabled is the message for an operator that runs without --enable-rollout-restart.
const RestartDisabled = "spec.rolloutRestart has no effect: ask whoever runs the operator to turn it on with --enable-rollout-restart and " +
	"the rights of config/rollout-restart, or remove it and use Reloader"
