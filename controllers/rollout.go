package controllers

import (
	"cmp"
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
	// settling is how long a change of data waits for others, so that credentials that are renewed together make one restart.
	settling = 10 * time.Second
	// restartInterval is the least time between two restarts of one workload, whoever they are for.
	restartInterval = time.Minute
	// forbiddenAgain is when somebody may have given the rights or the consent that were missing, failedAgain when the API server may be well again.
	forbiddenAgain = 5 * time.Minute
	failedAgain    = 30 * time.Second
	// maxRestartedFor is how many objects a restart is written down for on the workload: 38 KB, where all annotations together may have 256 KiB.
	maxRestartedFor = 1000
	// maxDataRevision bounds what is believed to be a data revision, since others may write where it is kept.
	maxDataRevision = 16
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
	if len(t.rec.DataRevision) > maxDataRevision {
		return unnamed
	}
	return cmp.Or(t.rec.DataRevision, unnamed)
}

// A rollout is what is known of a workload of spec.rolloutRestart before it is looked at. Deciding from it is pure.
type rollout struct {
	object types.NamespacedName
	ref    v1alpha1.RolloutRestart
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
	switch reason {
	case v1alpha1.EventRolloutRestartNotAllowed, v1alpha1.EventRolloutRestartForbidden, v1alpha1.EventRolloutRestartFailed:
		return true
	}
	return false
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
	found   bool
	version string
	// allowed is the annotation with which it names the objects that may restart it.
	allowed     string
	restartedAt time.Time
	// dataRevisions are those that it was last restarted for, by restartKey of their objects.
	dataRevisions map[string]string
}

// allows reports whether an object may restart the workload: whoever runs it says so, as its author may have no rights over workloads.
func (w *workload) allows(object string) bool {
	for entry := range strings.SplitSeq(w.allowed, ",") {
		if entry = strings.TrimSpace(entry); entry == "*" || entry == object {
			return true
		}
	}
	return false
}

// A revisionOf is the data revision of an object's target.
type revisionOf struct {
	object, dataRevision string
	// waiting reports whether the workload is yet to be restarted for it.
	waiting bool
}

// restartedFor is what is written down on a workload: as much as is sure to fit. Those that wait go first, so that each restart covers as many as it can.
func restartedFor(own revisionOf, others []revisionOf) map[string]string {
	slices.SortStableFunc(others, func(a, b revisionOf) int {
		switch {
		case a.waiting == b.waiting:
			return 0
		case a.waiting:
			return -1
		}
		return 1
	})
	kept := map[string]string{restartKey(own.object): own.dataRevision}
	for _, r := range others[:min(len(others), maxRestartedFor-1)] {
		kept[restartKey(r.object)] = r.dataRevision
	}
	return kept
}

// restartKey stands for an object on a workload. All have one length, since names are up to 253 characters.
func restartKey(object string) string {
	sum := sha256.Sum256([]byte(object))
	return hex.EncodeToString(sum[:8])
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
func (o *rollout) judge(w workload, now time.Time) verdict {
	entry := o.entry()
	entry.Reason, entry.Message = "", ""
	if !w.found {
		if entry.DataRevision != o.dataRevision { // else there has been nothing to restart it for: it may well be on its way
			entry.Reason, entry.Message = v1alpha1.EventWorkloadNotFound, workloadMissing(o.ref)
		}
		entry.DataRevision = o.dataRevision // one that is made later begins with the data of then
		return verdict{entry: entry}
	}
	if !w.allows(o.object.Name) {
		entry.Reason, entry.Message = v1alpha1.EventRolloutRestartNotAllowed, restartNotAllowed(o.object, o.ref)
		return verdict{entry: entry, until: now.Add(forbiddenAgain)}
	}
	// It knows better than status: another object's pass may have restarted it, or a process that died before it could say so, or one for an
	// object of this name that was deleted since.
	if begunWith := w.dataRevisions[restartKey(o.object.Name)]; begunWith != "" && len(begunWith) <= maxDataRevision {
		entry.DataRevision, entry.LastRestartTime = begunWith, wholeSecond(w.restartedAt)
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

// restartNotAllowed names a command that does not overwrite: the workload may allow others already.
func restartNotAllowed(object types.NamespacedName, ref v1alpha1.RolloutRestart) string {
	return fmt.Sprintf("%s %s does not allow %s to restart it; whoever runs the workload allows it with: kubectl annotate %s -n %s %s '%s=%s' "+
		"(or adds the name to those that are there, after a comma)",
		ref.Kind, ref.Name, object.Name, strings.ToLower(string(ref.Kind)), object.Namespace, ref.Name, v1alpha1.AllowRestartAnnotation, object.Name)
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
