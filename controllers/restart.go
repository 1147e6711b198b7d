package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// rollOut restarts the workloads of spec.rolloutRestart that have begun with other data than the target holds, as far as it is time to. It says what
// status is to have of them, and when to come back. Its times are on the local clock, as those are that workloads carry. Nothing that goes wrong here is the token's business.
func (r *CDPCredentialReconciler) rollOut(ctx context.Context, v *view, mem *remembered) ([]v1alpha1.RolloutRestartStatus, time.Time) {
	waits := mem.rollouts
	mem.rollouts = nil
	var entries []v1alpha1.RolloutRestartStatus
	var first time.Time
	dataRevision := v.target.dataRevision(v.obj.Name)
	for _, ref := range v.obj.Spec.RolloutRestart {
		o := rollout{object: client.ObjectKeyFromObject(v.obj), ref: ref, told: toldOf(v.obj.Status.RolloutRestart, ref), dataRevision: dataRevision, wait: waits[ref]}
		switch {
		case !r.RolloutRestart:
			entries = append(entries, o.hindered(v1alpha1.EventRolloutRestartDisabled, restartDisabled))
		case v.obj.Spec.Suspend || dataRevision == "":
			if o.told != nil {
				entries = append(entries, o.entry())
			}
			continue
		default:
			entry, until := r.rollOutOne(ctx, v, &o)
			entries = append(entries, entry)
			if !until.IsZero() {
				if mem.rollouts == nil {
					mem.rollouts = map[v1alpha1.RolloutRestart]rolloutWait{}
				}
				mem.rollouts[ref] = rolloutWait{dataRevision: dataRevision, until: until}
				first = sooner(first, until)
			}
		}
		last := &entries[len(entries)-1]
		last.Pending = last.DataRevision != dataRevision
	}
	return entries, moved(first, -r.ahead())
}

func toldOf(told []v1alpha1.RolloutRestartStatus, ref v1alpha1.RolloutRestart) *v1alpha1.RolloutRestartStatus {
	for i := range told {
		if told[i].Kind == ref.Kind && told[i].Name == ref.Name && told[i].DataRevision != "" {
			return &told[i]
		}
	}
	return nil
}

// rollOutOne looks at a workload if it is time to, and restarts it if that is due.
func (r *CDPCredentialReconciler) rollOutOne(ctx context.Context, v *view, o *rollout) (v1alpha1.RolloutRestartStatus, time.Time) {
	now := r.localNow()
	if due := o.due(now); due.IsZero() || now.Before(due) {
		return o.entry(), due
	}
	w, err := r.look(ctx, v.obj.Namespace, o.ref)
	if err != nil {
		return r.notRestarted(ctx, o, err)
	}
	judged := o.judge(w, now)
	o.told = &judged.entry
	if judged.entry.Reason != "" {
		r.Metrics.Restarted(judged.entry.Reason)
	}
	if !judged.restart {
		return judged.entry, judged.until
	}
	if err := r.restart(ctx, v, o, w, now); err != nil {
		return r.notRestarted(ctx, o, err)
	}
	r.Metrics.Restarted("")
	r.Recorder.Eventf(v.obj, workloadReference(v.obj.Namespace, o.ref), corev1.EventTypeNormal, v1alpha1.EventWorkloadRestarted, "RolloutRestart",
		"Restarted %s %s, as the data of Secret %s has changed", o.ref.Kind, o.ref.Name, v.target.name)
	return o.restarted(now), time.Time{}
}

// notRestarted says what comes of an error of the API server.
func (r *CDPCredentialReconciler) notRestarted(ctx context.Context, o *rollout, err error) (v1alpha1.RolloutRestartStatus, time.Time) {
	now := r.localNow()
	switch {
	case ctx.Err() != nil || apierrors.IsConflict(err) || apierrors.IsNotFound(err):
		return o.entry(), now.Add(time.Second) // it has changed meanwhile: look again
	case apierrors.IsForbidden(err):
		r.Metrics.Restarted(v1alpha1.EventRolloutRestartForbidden)
		return o.hindered(v1alpha1.EventRolloutRestartForbidden, restartForbidden(o.ref)), now.Add(forbiddenAgain)
	}
	ctrl.LoggerFrom(ctx).Error(err, "Failed to restart a workload", "kind", o.ref.Kind, "name", o.ref.Name)
	r.Metrics.Restarted(v1alpha1.EventRolloutRestartFailed)
	return o.hindered(v1alpha1.EventRolloutRestartFailed, restartFailed(o.ref)), now.Add(failedAgain)
}

// look asks the API server for a workload. There is no cache of them: they are many, and seldom needed.
func (r *CDPCredentialReconciler) look(ctx context.Context, namespace string, ref v1alpha1.RolloutRestart) (workload, error) {
	obj := workloadReference(namespace, ref)
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(obj), obj); apierrors.IsNotFound(err) {
		return workload{}, nil
	} else if err != nil {
		return workload{}, fmt.Errorf("read the workload: %w", err)
	}
	w := workload{
		found: obj.GetDeletionTimestamp() == nil, version: string(obj.GetUID()) + "/" + obj.GetResourceVersion(),
		allowed: obj.GetAnnotations()[v1alpha1.AllowRestartAnnotation],
	}
	annotations, _, err := unstructured.NestedStringMap(obj.Object, "spec", "template", "metadata", "annotations")
	if err != nil {
		return workload{}, fmt.Errorf("read the workload's template: %w", err)
	}
	// What cannot be read is as good as not there: anybody may have written it.
	if at, err := time.Parse(time.RFC3339, annotations[v1alpha1.RestartedAtAnnotation]); err == nil {
		w.restartedAt = at
	}
	_ = json.Unmarshal([]byte(annotations[v1alpha1.RestartedForAnnotation]), &w.dataRevisions)
	return w, nil
}

// restart changes the annotations of a workload's pod template, as kubectl rollout restart does, if it is still the one that was looked at.
func (r *CDPCredentialReconciler) restart(ctx context.Context, v *view, o *rollout, w workload, now time.Time) error {
	dataRevisions, err := r.dataRevisions(ctx, v, o, w)
	if err != nil {
		return err
	}
	restartedFor, err := json.Marshal(dataRevisions)
	if err != nil {
		return fmt.Errorf("write the dataRevisions: %w", err)
	}
	uid, resourceVersion := splitVersion(w.version)
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": uid, "resourceVersion": resourceVersion},
		"spec": map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": map[string]any{
			v1alpha1.RestartedAtAnnotation: now.UTC().Format(time.RFC3339), v1alpha1.RestartedForAnnotation: string(restartedFor),
		}}}},
	})
	if err != nil {
		return fmt.Errorf("write the patch of the workload: %w", err)
	}
	obj := workloadReference(v.obj.Namespace, o.ref)
	if err := r.Client.Patch(ctx, obj, client.RawPatch(types.MergePatchType, patch), client.FieldOwner(v1alpha1.ManagedBy)); err != nil {
		return fmt.Errorf("patch the workload: %w", err)
	}
	return nil
}

// dataRevisions are those that pods find which start from now on: this object's, and those of the others that name the workload and may restart it.
// Those whose change is covered by this restart see it when they look.
func (r *CDPCredentialReconciler) dataRevisions(ctx context.Context, v *view, o *rollout, w workload) (map[string]string, error) {
	all := &v1alpha1.CDPCredentialList{}
	if err := r.Client.List(ctx, all, client.InNamespace(v.obj.Namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the objects: %w", err)
	}
	var others []revisionOf
	for i := range all.Items {
		other := &all.Items[i]
		concerned := slices.Contains(other.Spec.RolloutRestart, o.ref) && w.allows(other.Name)
		if other.Name == v.obj.Name || !concerned {
			continue
		}
		dataRevision, err := r.dataRevisionOf(ctx, other)
		if err != nil {
			return nil, err
		}
		if dataRevision != "" {
			told := toldOf(other.Status.RolloutRestart, o.ref)
			others = append(others, revisionOf{other.Name, dataRevision, told == nil || told.DataRevision != dataRevision})
		}
	}
	return restartedFor(revisionOf{v.obj.Name, o.dataRevision, true}, others), nil
}

// dataRevisionOf is the data revision of another object's target. Empty: it holds none of its data.
func (r *CDPCredentialReconciler) dataRevisionOf(ctx context.Context, other *v1alpha1.CDPCredential) (string, error) {
	secret := secretMetadata(other.Namespace, other.Spec.Target.Name)
	if err := r.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret); apierrors.IsNotFound(err) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("read the target Secret's metadata: %w", err)
	}
	target := targetView{found: true, meta: secret.ObjectMeta, rec: parseRecord(secret.Annotations[v1alpha1.StateAnnotation], other.Name)}
	return target.dataRevision(other.Name), nil
}

// workloadReference is a workload without content.
func workloadReference(namespace string, ref v1alpha1.RolloutRestart) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{}
	obj.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind(string(ref.Kind)))
	obj.SetNamespace(namespace)
	obj.SetName(ref.Name)
	return obj
}
