// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// A restarter restarts the workloads of spec.rolloutRestart.
type restarter struct {
	*Cluster
	*credential.Policy
	*Sources
	metrics *telemetry.Metrics
}

// rollOut restarts the workloads of spec.rolloutRestart whose pods started with other data than the target holds, as soon as they may be restarted.
// It returns their status entries and when to come back. Its times are on the local clock, like those in workloads' annotations. Its failures never
// affect the token.
func (r *restarter) rollOut(ctx context.Context, s *credential.State, cache *credential.ObjectCache) ([]v1alpha1.RolloutRestartStatus, time.Time) {
	waits := cache.Rollouts
	cache.Rollouts = nil
	var entries []v1alpha1.RolloutRestartStatus
	var first time.Time
	dataRevision := s.Target.DataRevision(s.Object.Name)
	for _, ref := range s.Object.Spec.RolloutRestart {
		o := credential.RestartState{Object: client.ObjectKeyFromObject(s.Object), Workload: ref, Status: credential.RestartStatusOf(s.Object.Status.RolloutRestart, ref), DataRevision: dataRevision, Wait: waits[ref]}
		switch {
		case !r.RolloutRestart:
			entries = append(entries, o.Blocked(v1alpha1.EventRolloutRestartDisabled, credential.RestartDisabled))
		case s.Object.Spec.Suspend || dataRevision == "":
			if o.Status != nil {
				entries = append(entries, o.EntryStatus())
			}
			continue
		default:
			entry, until := r.rollOutOne(ctx, s, &o)
			entries = append(entries, entry)
			if !until.IsZero() {
				if cache.Rollouts == nil {
					cache.Rollouts = map[v1alpha1.RolloutRestart]credential.RestartWait{}
				}
				cache.Rollouts[ref] = credential.RestartWait{DataRevision: dataRevision, Until: until}
				first = credential.Earliest(first, until)
			}
		}
		last := &entries[len(entries)-1]
		last.Pending = last.DataRevision != dataRevision
	}
	return entries, credential.Moved(first, -r.clocks().Ahead)
}

// rollOutOne checks one workload when that is due, and restarts it if necessary.
func (r *restarter) rollOutOne(ctx context.Context, s *credential.State, o *credential.RestartState) (v1alpha1.RolloutRestartStatus, time.Time) {
	now := r.localNow()
	if due := o.Due(now); due.IsZero() || now.Before(due) {
		return o.EntryStatus(), due
	}
	w, err := r.look(ctx, s.Object.Namespace, o.Workload)
	if err != nil {
		return r.notRestarted(ctx, o, err)
	}
	judged := o.Decide(w, now)
	o.Status = &judged.Status
	if judged.Status.Reason != "" {
		r.metrics.Restarted(judged.Status.Reason)
	}
	if !judged.Restart {
		return judged.Status, judged.Until
	}
	if err := r.restart(ctx, s, o, w, now); err != nil {
		return r.notRestarted(ctx, o, err)
	}
	r.metrics.Restarted("")
	r.Recorder.Eventf(s.Object, credential.WorkloadReference(s.Object.Namespace, o.Workload), corev1.EventTypeNormal, v1alpha1.EventWorkloadRestarted, "RolloutRestart",
		"Restarted %s %s, as the data of Secret %s has changed", o.Workload.Kind, o.Workload.Name, s.Target.Name)
	return o.Restarted(now), time.Time{}
}

// notRestarted returns the status entry after an error of the API server.
func (r *restarter) notRestarted(ctx context.Context, o *credential.RestartState, err error) (v1alpha1.RolloutRestartStatus, time.Time) {
	now := r.localNow()
	switch {
	case ctx.Err() != nil || apierrors.IsConflict(err) || apierrors.IsNotFound(err):
		return o.EntryStatus(), now.Add(time.Second) // it changed in the meantime: check again
	case apierrors.IsForbidden(err):
		r.metrics.Restarted(v1alpha1.EventRolloutRestartForbidden)
		return o.Blocked(v1alpha1.EventRolloutRestartForbidden, credential.RestartForbidden(o.Workload)), now.Add(credential.ForbiddenAgain)
	}
	ctrl.LoggerFrom(ctx).Error(err, "Failed to restart a workload", "kind", o.Workload.Kind, "name", o.Workload.Name)
	r.metrics.Restarted(v1alpha1.EventRolloutRestartFailed)
	return o.Blocked(v1alpha1.EventRolloutRestartFailed, credential.RestartFailed(o.Workload)), now.Add(credential.FailedAgain)
}

// look reads a workload from the API server. Workloads are not cached: there are many, and they are rarely needed.
func (r *restarter) look(ctx context.Context, namespace string, ref v1alpha1.RolloutRestart) (credential.Workload, error) {
	obj := credential.WorkloadReference(namespace, ref)
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(obj), obj); apierrors.IsNotFound(err) {
		return credential.Workload{}, nil
	} else if err != nil {
		return credential.Workload{}, fmt.Errorf("read the workload: %w", err)
	}
	return credential.WorkloadOf(obj)
}

// restart changes the annotations of the workload's pod template, as kubectl rollout restart does, unless the workload has changed since it was read.
func (r *restarter) restart(ctx context.Context, s *credential.State, o *credential.RestartState, w credential.Workload, now time.Time) error {
	dataRevisions, err := r.dataRevisions(ctx, s, o, w)
	if err != nil {
		return err
	}
	patch, err := w.RestartPatch(dataRevisions, now)
	if err != nil {
		return fmt.Errorf("write the patch of the workload: %w", err)
	}
	obj := credential.WorkloadReference(s.Object.Namespace, o.Workload)
	if err := r.Client.Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(v1alpha1.ManagedBy)); err != nil {
		return fmt.Errorf("patch the workload: %w", err)
	}
	return nil
}

// dataRevisions returns the revisions that pods will start with now: this object's, and those of other objects that may restart the same workload.
// One restart thus serves them all.
func (r *restarter) dataRevisions(ctx context.Context, s *credential.State, o *credential.RestartState, w credential.Workload) (map[string]string, error) {
	all := &v1alpha1.CDPCredentialList{}
	if err := r.Client.List(ctx, all, client.InNamespace(s.Object.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the objects: %w", err)
	}
	var others []credential.ObjectRevision
	for i := range all.Items {
		other := &all.Items[i]
		concerned := slices.Contains(other.Spec.RolloutRestart, o.Workload) && w.Allows(other.Name)
		if other.Name == s.Object.Name || !concerned {
			continue
		}
		dataRevision, err := r.dataRevisionOf(ctx, other)
		if err != nil {
			return nil, err
		}
		if dataRevision != "" {
			told := credential.RestartStatusOf(other.Status.RolloutRestart, o.Workload)
			others = append(others, credential.ObjectRevision{Object: other.Name, DataRevision: dataRevision, Waiting: told == nil || told.DataRevision != dataRevision})
		}
	}
	return credential.RestartedFor(credential.ObjectRevision{Object: s.Object.Name, DataRevision: o.DataRevision, Waiting: true}, others), nil
}

// dataRevisionOf returns the data revision of another object's target. Empty: the target holds no data of that object.
func (r *restarter) dataRevisionOf(ctx context.Context, other *v1alpha1.CDPCredential) (string, error) {
	secret := credential.SecretMetadata(other.Namespace, other.Spec.Target.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); apierrors.IsNotFound(err) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("read the target Secret's metadata: %w", err)
	}
	target := credential.TargetSecret{Found: true, Metadata: secret.ObjectMeta, Persisted: credential.ParsePersistedState(secret.Annotations[v1alpha1.StateAnnotation], other.Name)}
	return target.DataRevision(other.Name), nil
}
