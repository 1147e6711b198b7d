package controllers

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const (
	// settling is how long a change of data waits for others, so that credentials that are renewed together make one restart.
	settling = 10 * time.Second
	// restartInterval is the least time between two restarts of one workload, whoever they are for.
	restartInterval = time.Minute
	// forbiddenAgain is when somebody may have given the rights that were missing, failedAgain when the API server may be well again.
	forbiddenAgain = 5 * time.Minute
	failedAgain    = 30 * time.Second
)

// unnamed is the data revision of a target that was written by a version which gave none.
const unnamed = "unnamed"

// setDataRevision gives data that is about to be written a random ID. It stays only where no data can have changed whatever the values are: the
// same token under the same templates, in a target that nobody edited. Everything else is a new ID, whether or not the data differs: status and pod
// templates show it to people who may not read Secrets, and an ID that stayed while the data did would tell them whether a guess was right.
func (r *CDPCredentialReconciler) setDataRevision(v *view, rec *record) error {
	templates := templatesHash(&v.obj.Spec.Target)
	sameData := rec.Templates == templates && v.held.content == intact && !v.moving()
	if rec.DataRevision != "" && sameData {
		return nil
	}
	id := make([]byte, 8)
	if _, err := r.Rand.Read(id); err != nil {
		return fmt.Errorf("make a data revision: %w", err)
	}
	rec.DataRevision, rec.Templates = hex.EncodeToString(id), templates
	return nil
}

// dataRevision is the name of the data that the target holds. Empty: it holds none of the object's.
func (t *targetView) dataRevision(object string) string {
	if !t.has() || t.owner() != object {
		return ""
	}
	return cmp.Or(t.rec.DataRevision, unnamed)
}

// A rollout is what is known of a workload of spec.rolloutRestart before it is looked at. Deciding from it is pure.
type rollout struct {
	ref v1alpha1.RolloutRestart
	// told is what status says of it. Nil: nothing, it is new in the list, or the target was empty until now.
	told *v1alpha1.RolloutRestartStatus
	// dataRevision is the name of the data that the target holds.
	dataRevision string
	// wait is what it waited for when it was last thought of.
	wait rolloutWait
}

// A rolloutWait is until when a data revision is waited with. Nothing is lost with it: the next process begins to wait anew.
type rolloutWait struct {
	dataRevision string
	until        time.Time
}

// due says when the workload is to be looked at. Zero: not before something changes.
func (o *rollout) due(now time.Time) time.Time {
	if o.told == nil {
		return now // it may have been restarted for an object of this name that was deleted
	}
	if o.told.DataRevision == o.dataRevision && !mayBeMended(o.told.Reason) {
		return time.Time{}
	}
	until := o.wait.until
	if o.wait.dataRevision == o.dataRevision && until.Sub(now) <= forbiddenAgain {
		return until
	}
	settled := now.Add(settling)
	if until.After(now) && until.Before(settled) {
		return until
	}
	return settled
}

// mayBeMended says whether an obstacle may go away without anybody telling us.
func mayBeMended(reason string) bool {
	return reason == v1alpha1.EventRolloutRestartForbidden || reason == v1alpha1.EventRolloutRestartFailed
}

// entry is what status says of the workload if nothing happens.
func (o *rollout) entry() v1alpha1.RolloutRestartStatus {
	entry := v1alpha1.RolloutRestartStatus{DataRevision: o.dataRevision}
	if o.told != nil {
		entry = *o.told
	}
	entry.Kind, entry.Name = o.ref.Kind, o.ref.Name
	if entry.Reason == v1alpha1.EventRolloutRestartDisabled {
		entry.Reason, entry.Message = "", ""
	}
	return entry
}

// A workload is what is known of one that was looked at.
type workload struct {
	found       bool
	version     string
	restartedAt time.Time
	// dataRevisions are those that it was last restarted for, by the names of their objects.
	dataRevisions map[string]string
}

// A verdict is what comes of a look.
type verdict struct {
	entry v1alpha1.RolloutRestartStatus
	// restart says that it is to be restarted now.
	restart bool
	// until is when it is to be looked at again. Zero: not before something changes.
	until time.Time
}

// judge says what is to be done about a workload that was looked at.
func (o *rollout) judge(object string, w workload, now time.Time) verdict {
	entry := o.entry()
	entry.Reason, entry.Message = "", ""
	if !w.found {
		if entry.DataRevision != o.dataRevision { // else there has been nothing to restart it for: it may well be on its way
			entry.Reason, entry.Message = v1alpha1.EventWorkloadNotFound, workloadMissing(o.ref)
		}
		entry.DataRevision = o.dataRevision // one that is made later begins with the data of then
		return verdict{entry: entry}
	}
	// It knows better than status: another object's pass may have restarted it, or a process that died before it could say so, or one for an
	// object of this name that was deleted since.
	if restartedFor := w.dataRevisions[object]; restartedFor != "" {
		entry.DataRevision, entry.LastRestartTime = restartedFor, wholeSecond(w.restartedAt)
	}
	if entry.DataRevision == o.dataRevision {
		return verdict{entry: entry}
	}
	if free := w.restartedAt.Add(restartInterval); now.Before(free) && w.restartedAt.Sub(now) <= restartInterval { // else whoever wrote it has another clock
		return verdict{entry: entry, until: free}
	}
	return verdict{entry: entry, restart: true}
}

// restarted is the entry of a workload that was restarted just now.
func (o *rollout) restarted(now time.Time) v1alpha1.RolloutRestartStatus {
	return v1alpha1.RolloutRestartStatus{Kind: o.ref.Kind, Name: o.ref.Name, DataRevision: o.dataRevision, LastRestartTime: wholeSecond(now)}
}

// hindered is the entry of a workload that could not be restarted, or not even looked at.
func (o *rollout) hindered(reason, message string) v1alpha1.RolloutRestartStatus {
	entry := o.entry()
	entry.Reason, entry.Message = reason, message
	return entry
}

func workloadMissing(ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("%s %s of spec.rolloutRestart does not exist in this namespace: correct its name, or take it off the list", ref.Kind, ref.Name)
}

func restartForbidden(ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("the API server does not let the operator restart %s %s: ask whoever runs the cluster for the operator's rights "+
		"(config/rollout-restart) and for admission policies", ref.Kind, ref.Name)
}

func restartFailed(ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("%s %s could not be restarted, which is tried again: if that lasts, restart it with kubectl rollout restart and look at the operator's log",
		ref.Kind, ref.Name)
}

const restartDisabled = "spec.rolloutRestart has no effect: ask whoever runs the operator to turn it on with --enable-rollout-restart and " +
	"the rights of config/rollout-restart, or take it out and leave restarts to Reloader"

// newObstacles are the entries that have something to warn of that they did not have before, each message once.
func newObstacles(before, after []v1alpha1.RolloutRestartStatus) []v1alpha1.RolloutRestartStatus {
	var fresh []v1alpha1.RolloutRestartStatus
	for i := range after {
		is := &after[i]
		same := func(s v1alpha1.RolloutRestartStatus) bool { return s.Reason == is.Reason && s.Message == is.Message }
		if is.Reason != "" && !slices.ContainsFunc(before, same) && !slices.ContainsFunc(fresh, same) {
			fresh = append(fresh, *is)
		}
	}
	return fresh
}
