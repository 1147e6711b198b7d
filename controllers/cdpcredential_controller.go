// Package controllers makes the target Secret of each CDPCredential hold a valid token: it observes, plans, acts and reports.
package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

// An Exchanger trades a client's credentials for a token, in one attempt. What the endpoint says against it is an *exchange.Error.
type Exchanger interface {
	Exchange(ctx context.Context, rt http.RoundTripper, req exchange.Request) (exchange.Token, error)
}

// Transports gives the way to endpoints whose certificates are checked against a CA bundle; none means the system's roots.
type Transports interface {
	For(caBundle []byte) (http.RoundTripper, error)
}

// CDPCredentialReconciler makes the target Secret of a CDPCredential hold a valid token. All fields but Watchdog are required.
type CDPCredentialReconciler struct {
	// Client writes, and reads CDPCredentials and the metadata of Secrets from the cache. Whole Secrets must not be read with it: that
	// would fill the cache with their data.
	Client client.Client
	// Live reads whole Secrets from the API server.
	Live       client.Reader
	Recorder   events.EventRecorder
	Exchanger  Exchanger
	Transports Transports
	// Gate is that of the token endpoints, VerifyGate that of the APIs.
	Gate, VerifyGate *egress.Gate
	// AllowedHosts are those that an administrator consented to for all client Secrets. Zero: none.
	AllowedHosts egress.Hosts
	// AllowedMetadata are keys, and prefixes without their slash, that targets may carry though they make other controllers act. Nil: none.
	AllowedMetadata []string
	Clock           clock.PassiveClock
	// Chance gives numbers in [0, 1), for jitter. Rand gives unpredictable bytes, for salts.
	Chance  func() float64
	Rand    io.Reader
	Metrics *Metrics
	// Watchdog is told of every pass. Nil: nobody is.
	Watchdog *Watchdog

	memory memory
	steps  clockSteps
	// salt keys the fingerprints that never leave this process.
	salt [16]byte
}

// +kubebuilder:rbac:groups=cdpcredentials.io,resources=cdpcredentials,verbs=get;list;watch
// +kubebuilder:rbac:groups=cdpcredentials.io,resources=cdpcredentials/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile makes one pass over one object, under the eyes of the watchdog.
func (r *CDPCredentialReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	if err := ctx.Err(); err != nil {
		return ctrl.Result{}, err // this process is to end: the next one begins with it
	}
	ctx, end := outlive(ctx, shutdownGrace)
	defer end()
	r.Watchdog.began(req.NamespacedName)
	result, err := r.pass(ctx, req)
	r.Watchdog.finished(req.NamespacedName, result.RequeueAfter)
	return result, err
}

// pass observes, plans, acts and reports.
func (r *CDPCredentialReconciler) pass(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	obj := &v1alpha1.CDPCredential{}
	if err := r.Client.Get(ctx, req.NamespacedName, obj); apierrors.IsNotFound(err) {
		r.forget(req.NamespacedName)
		return ctrl.Result{}, nil
	} else if err != nil {
		return ctrl.Result{}, fmt.Errorf("read the object: %w", err)
	}
	if !obj.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil // the target Secret is garbage-collected by its owner reference
	}
	mem := r.memory.of(req.NamespacedName, obj.UID, r.stepped())
	obj, err := r.catchUp(ctx, obj, mem)
	if err != nil {
		return ctrl.Result{}, err
	}
	if obj == nil {
		return ctrl.Result{RequeueAfter: cacheLag}, nil
	}
	v, s, err := r.decide(ctx, obj, mem)
	if err != nil {
		return ctrl.Result{}, err
	}
	if v == nil {
		return ctrl.Result{RequeueAfter: mostLag}, nil
	}
	obj = v.obj
	if s.action == issue && readyButNot(v) {
		status := *obj.Status.DeepCopy()
		setReady(v, &status) // consumers are told before the endpoint is asked, which may take a while
		if err := r.patchStatus(ctx, obj, v.saved, mem, status); err != nil {
			return ctrl.Result{}, err
		}
		return ctrl.Result{RequeueAfter: time.Millisecond}, nil
	}
	out, err := r.act(ctx, v, mem, s)
	if err != nil {
		return ctrl.Result{}, err
	}
	r.tellIssued(v, out)
	tried, verifyAt, err := r.verify(ctx, v, mem, out)
	if err != nil {
		return ctrl.Result{}, err
	}
	if out.wrote || !v.moving() && v.target.has() && !obj.Spec.Suspend {
		if err := r.removeLeftovers(ctx, obj); err != nil {
			return ctrl.Result{}, err
		}
	}
	r.settleClock(v, mem, out)
	status := report(v, s, out, tried)
	if err := r.patchStatus(ctx, obj, v.saved, mem, status); err != nil {
		return ctrl.Result{}, err // the target Secret has it all: the next pass reports it
	}
	r.tell(v, &v.saved, &status)
	return ctrl.Result{RequeueAfter: wake(v, s, out, verifyAt, &status)}, nil
}

// readyButNot says whether status still has it that the target holds a token which is there no more.
func readyButNot(v *view) bool {
	return meta.IsStatusConditionTrue(v.obj.Status.Conditions, v1alpha1.ConditionReady) && !v.target.holds(v.now) && !v.moving() && v.intent.provider != "basic"
}

// patchStatus writes status if it has changed: one request, last, so that Ready and the payload appear together.
func (r *CDPCredentialReconciler) patchStatus(ctx context.Context, obj *v1alpha1.CDPCredential, saved v1alpha1.CDPCredentialStatus, mem *remembered, status v1alpha1.CDPCredentialStatus) error {
	if equality.Semantic.DeepEqual(saved, status) {
		mem.unsaved = nil
		return nil
	}
	mem.unsaved = status.DeepCopy()
	before, after := obj.DeepCopy(), obj.DeepCopy()
	before.Status, after.Status = saved, status
	diff, err := client.MergeFrom(before).Data(after)
	if err != nil {
		return fmt.Errorf("write the status patch: %w", err)
	}
	var patch map[string]any
	if err := json.Unmarshal(diff, &patch); err != nil {
		return fmt.Errorf("read the status patch: %w", err)
	}
	// Nobody else writes status, so it needs no lock; but it must not land on another object of the same name.
	patch["metadata"] = map[string]any{"uid": obj.UID}
	if diff, err = json.Marshal(patch); err != nil {
		return fmt.Errorf("write the status patch: %w", err)
	}
	err = r.Client.Status().Patch(ctx, after, client.RawPatch(types.MergePatchType, diff), client.FieldOwner(v1alpha1.ManagedBy))
	if apierrors.IsNotFound(err) {
		mem.unsaved = nil
		return nil // the object was deleted meanwhile
	} else if err != nil {
		return fmt.Errorf("patch status: %w", err)
	}
	mem.objectVersion, mem.unsaved = after.ResourceVersion, nil
	return nil
}

// tellIssued tells of a token as soon as it is in the target: whatever fails after that, no later pass knows of it.
func (r *CDPCredentialReconciler) tellIssued(v *view, out outcome) {
	if !out.issued {
		return
	}
	r.Metrics.issued(v, out)
	r.Recorder.Eventf(v.obj, targetReference(v), corev1.EventTypeNormal, v1alpha1.EventTokenRefreshed, "Refresh", "Wrote a new token to Secret %s", v.target.name)
	for _, w := range out.warnings {
		r.Recorder.Eventf(v.obj, nil, corev1.EventTypeWarning, w.reason, "Refresh", "%s", w.message)
	}
}

// tell tells the events and metrics what status has changed to.
func (r *CDPCredentialReconciler) tell(v *view, before, status *v1alpha1.CDPCredentialStatus) {
	r.Metrics.observe(v, status)
	for _, kind := range []string{v1alpha1.ConditionRefreshed, v1alpha1.ConditionVerified} {
		if c := newFailure(before.Conditions, status.Conditions, kind); c != nil {
			r.Recorder.Eventf(v.obj, nil, corev1.EventTypeWarning, c.Reason, "Refresh", "%s", shorten(c.Message, maxNote))
		}
	}
}

// maxNote is the most that an event's note may have.
const maxNote = 1000
