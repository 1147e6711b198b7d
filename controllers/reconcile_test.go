// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/slimcache"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

// A lab is one object, etl, whose whole reconcile is tried on a clock that stands still. Its endpoint gives a new token for an hour each time.
type lab struct {
	*testing.T
	clock *clocktesting.FakePassiveClock
	api   client.Client
	r     *CDPCredentialReconciler
	// did is what was asked of the API server and of the endpoint since it was last looked at, but for reads that the cache answers.
	did []string
	// interfere is called before a request to the API server, which fails with its error.
	interfere func(what string) error
}

func newLab(t *testing.T, spec func(*v1alpha1.CDPCredentialSpec)) *lab {
	t.Helper()
	l := &lab{T: t, clock: clocktesting.NewFakePassiveClock(at("11:00:00"))}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		l.must(add(scheme))
	}
	owned := func(obj client.Object) []string { return slimcache.Buckets(credential.ControllerUID(obj)) }
	l.api = fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.CDPCredential{}).WithIndex(&corev1.Secret{}, ownedByField, owned).Build()
	obj := &v1alpha1.CDPCredential{}
	obj.Namespace, obj.Name, obj.UID, obj.Generation = "marketing", "etl", uid, 1
	obj.Spec = *specOf(v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{TokenURL: "https://auth.example.com/oauth/token"}})
	obj.Spec.Target.Name = "etl-token"
	if spec != nil {
		spec(&obj.Spec)
	}
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: map[string][]byte{"client-id": []byte("etl"), "client-secret": []byte("s3cret")}}
	secret.Namespace, secret.Name, secret.UID = "marketing", "etl-client", "c"
	secret.Annotations = map[string]string{"cdpcredentials.io/allowed-hosts": "auth.example.com"}
	l.must(l.api.Create(t.Context(), obj))
	l.must(l.api.Create(t.Context(), secret))
	metrics, err := telemetry.New(prometheus.NewRegistry())
	l.must(err)
	l.r = &CDPCredentialReconciler{
		Cluster:   Cluster{Client: l.client(false), Live: l.client(true), Recorder: events.NewFakeRecorder(100)},
		Endpoints: Endpoints{Exchanger: l, Transports: nowhere{}, Gate: egress.NewGate(egress.Limits{})},
		Sources:   Sources{Clock: l.clock, Jitter: func() float64 { return 0 }, Rand: endless{}},
		Metrics:   metrics,
	}
	return l
}

// endless gives bytes without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// Exchange is the endpoint.
func (l *lab) Exchange(context.Context, http.RoundTripper, exchange.Request) (exchange.Token, error) {
	l.did = append(l.did, "exchange")
	now := l.clock.Now()
	return exchange.Token{Value: exchange.Secret("t0ken of " + clockText(now)), Type: "Bearer", Life: token.Life{IssuedAt: now, ExpiresAt: now.Add(time.Hour)}}, nil
}

// client is the API server, with or without the cache in front of it.
func (l *lab) client(live bool) client.Client {
	does := func(what string) error {
		l.did = append(l.did, what)
		if l.interfere != nil {
			return l.interfere(what)
		}
		return nil
	}
	return interceptor.NewClient(l.api.(client.WithWatch), interceptor.Funcs{
		Get: func(ctx context.Context, next client.WithWatch, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
			if live {
				if err := does("get " + key.Name); err != nil {
					return err
				}
			}
			return next.Get(ctx, key, obj, opts...)
		},
		Create: func(ctx context.Context, next client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			if err := does("create " + obj.GetName()); err != nil {
				return err
			}
			return next.Create(ctx, obj, opts...)
		},
		Patch: func(ctx context.Context, next client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if err := does("patch " + obj.GetName()); err != nil {
				return err
			}
			return next.Patch(ctx, obj, patch, opts...)
		},
		SubResourcePatch: func(ctx context.Context, next client.Client, _ string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			if err := does("patch status"); err != nil {
				return err
			}
			return next.Status().Patch(ctx, obj, patch, opts...)
		},
	})
}

// reconcile reconciles the object once, at a time, and compares what that has asked for.
func (l *lab) reconcile(clock string, want ...string) (ctrl.Result, error) {
	l.Helper()
	l.clock.SetTime(at(clock))
	l.did = nil
	result, err := l.r.Reconcile(l.Context(), l.request())
	if diff := cmp.Diff(want, l.did); diff != "" {
		l.Errorf("at %s it did something else (-want +got):\n%s", clock, diff)
	}
	return result, err
}

func (l *lab) request() ctrl.Request {
	return ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "marketing", Name: "etl"}}
}

func (l *lab) target() *corev1.Secret {
	l.Helper()
	secret := &corev1.Secret{}
	l.must(l.api.Get(l.Context(), client.ObjectKey{Namespace: "marketing", Name: "etl-token"}, secret))
	return secret
}

// editTarget has somebody else change the target.
func (l *lab) editTarget(change func(*corev1.Secret)) {
	l.Helper()
	secret := l.target()
	change(secret)
	l.must(l.api.Update(l.Context(), secret))
}

// TestReconcileCosts: a first token, a renewal, and nothing.
func TestReconcileCosts(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	_, err := l.reconcile("11:00:00", "get etl-client", "exchange", "create etl-token", "patch status")
	l.must(err)
	_, err = l.reconcile("11:00:01")
	l.must(err)
	_, err = l.reconcile("11:50:00", "get etl-client", "exchange", "patch etl-token", "patch status")
	l.must(err)
	if got := string(l.target().Data["token"]); got != "t0ken of 11:50:00" {
		t.Errorf("the target has %q", got)
	}
}

// TestReconcileAfterConflict: a token in the hand is not given up because somebody else writes the target at the same moment, nor is another one asked for.
// What he has written stays.
func TestReconcileAfterConflict(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	_, err := l.reconcile("11:00:00", "get etl-client", "exchange", "create etl-token", "patch status")
	l.must(err)
	others := 0
	l.interfere = func(what string) error {
		if what == "patch etl-token" && others == 0 {
			others++
			l.editTarget(func(s *corev1.Secret) { s.Labels["team"] = "red" })
		}
		return nil
	}
	_, err = l.reconcile("11:50:00", "get etl-client", "exchange", "patch etl-token", "get etl-token", "get etl-client", "patch etl-token", "patch status")
	l.must(err)
	if got := l.target(); string(got.Data["token"]) != "t0ken of 11:50:00" || got.Labels["team"] != "red" {
		t.Errorf("the target has %q and the labels %v", got.Data["token"], got.Labels)
	}
	if status := l.object().Status; status.Issuance.Count != 2 {
		t.Errorf("%d tokens were counted", status.Issuance.Count)
	}
}

// TestReconcileWithoutEndOfConflicts: the queue's backoff takes over, and the token stays in the hand.
func TestReconcileWithoutEndOfConflicts(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	_, err := l.reconcile("11:00:00", "get etl-client", "exchange", "create etl-token", "patch status")
	l.must(err)
	l.interfere = func(what string) error {
		if what == "patch etl-token" {
			l.editTarget(func(s *corev1.Secret) { s.Labels["team"] += "." })
		}
		return nil
	}
	again := []string{"get etl-token", "get etl-client", "patch etl-token"}
	if _, err = l.reconcile("11:50:00", append(append([]string{"get etl-client", "exchange", "patch etl-token"}, again...), again...)...); err == nil || !strings.Contains(err.Error(), "has changed since it was read") {
		t.Errorf("got %v", err)
	}
	l.interfere = nil
	_, err = l.reconcile("11:50:01", "get etl-token", "get etl-client", "patch etl-token", "patch status")
	l.must(err)
	if got := string(l.target().Data["token"]); got != "t0ken of 11:50:00" {
		t.Errorf("the target has %q", got)
	}
}

// TestReconcileOverAForeignSecret: where somebody else has made the target meanwhile, it is not touched.
func TestReconcileOverAForeignSecret(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	made := false
	l.interfere = func(what string) error {
		if what != "create etl-token" || made {
			return nil
		}
		made = true
		secret := &corev1.Secret{Data: map[string][]byte{"token": []byte("his")}}
		secret.Namespace, secret.Name, secret.UID = "marketing", "etl-token", "h"
		return l.api.Create(t.Context(), secret)
	}
	_, err := l.reconcile("11:00:00", "get etl-client", "exchange", "create etl-token", "get etl-token", "get etl", "get etl-client", "patch status")
	l.must(err)
	if got := string(l.target().Data["token"]); got != "his" {
		t.Errorf("the target has %q", got)
	}
	if reason := l.object().Status.Reason; reason != "TargetNotOwned" {
		t.Errorf("it says %q", reason)
	}
}

func (l *lab) object() *v1alpha1.CDPCredential {
	l.Helper()
	obj := &v1alpha1.CDPCredential{}
	l.must(l.api.Get(l.Context(), client.ObjectKey{Namespace: "marketing", Name: "etl"}, obj))
	return obj
}

// TestReconcileTellsALoss: Ready is False before the endpoint is asked, which may take a while, and the token comes in the same reconcile.
func TestReconcileTellsALoss(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	_, err := l.reconcile("11:00:00", "get etl-client", "exchange", "create etl-token", "patch status")
	l.must(err)
	l.editTarget(func(s *corev1.Secret) { s.Data["token"] = []byte("his") })
	_, err = l.reconcile("11:10:00", "get etl-token", "get etl-client", "patch status", "exchange", "patch etl-token", "patch status")
	l.must(err)
	if status := l.object().Status; status.Reason != "TokenIssued" || status.Issuance.Count != 2 {
		t.Errorf("it ends with %q and %v", status.Reason, status.Issuance)
	}
}

// TestUnansweredWrite: after a write that ended in an error nobody knows whether it was made. That is found out before an exchange, unless there is a
// token in the hand: it is written again in any case.
func TestUnansweredWrite(t *testing.T) {
	t.Parallel()
	for _, inHand := range []bool{false, true} {
		l := newLab(t, nil)
		l.interfere = func(string) error { return apierrors.NewTimeoutError("no answer", 1) }
		s, cache := steady(), &credential.ObjectCache{}
		p := credential.Republication(exchange.Request{Flow: s.Desired.Flow}, *s.Current.Persisted, "t0ken")
		if inHand {
			cache.Token.Pending = p
		}
		l.clock.SetTime(s.Now)
		plan := credential.Plan{Action: credential.ActionRewrite, Publish: p}
		if _, _, err := l.r.sub().token.act(t.Context(), s, cache, plan, nil); err == nil {
			t.Fatal("it did not fail")
		}
		if cache.Target.Uncertain == inHand {
			t.Errorf("with a token in the hand: %t, and it is uncertain what the target is: %t", inHand, cache.Target.Uncertain)
		}
		if kept := cache.Token.Pending != nil; kept != inHand {
			t.Errorf("a token in the hand: %t, want %t", kept, inHand)
		}
	}
}

// TestReconcileOfATargetThatIsDeletedWhileItIsRewritten: it is made again with the token that was about to be written, and no other one is asked for.
func TestReconcileOfATargetThatIsDeletedWhileItIsRewritten(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	_, err := l.reconcile("11:00:00", "get etl-client", "exchange", "create etl-token", "patch status")
	l.must(err)
	l.editTarget(func(s *corev1.Secret) { delete(s.Labels, "app.kubernetes.io/managed-by") })
	deleted := false
	l.interfere = func(what string) error {
		if what != "patch etl-token" || deleted {
			return nil
		}
		deleted = true
		return l.api.Delete(t.Context(), l.target())
	}
	_, err = l.reconcile("11:10:00", "get etl-token", "get etl-client", "patch etl-token", "get etl-token",
		"create etl-token", // a dry run: is the namespace being deleted?
		"get etl-client", "patch status", "create etl-token", "patch status")
	l.must(err)
	if got := string(l.target().Data["token"]); got != "t0ken of 11:00:00" {
		t.Errorf("the target has %q", got)
	}
}
