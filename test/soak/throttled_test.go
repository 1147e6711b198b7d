// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	clocktesting "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/controllers"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// TestThrottledEndpointIsLeftAlone: a hundred credentials share an endpoint with a Retry-After of a minute. At most three requests reach it in that
// minute, and there is no herd afterwards. Everything is real but the API server, the endpoint and the clock, with 32 workers as in the manager.
func TestThrottledEndpointIsLeftAlone(t *testing.T) {
	t.Parallel()
	const many, workers = 100, 32
	start := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	clock := clocktesting.NewFakeClock(start)
	endpoint := &throttling{now: clock.Now}
	reconciler, due := throttledReconciler(t, clock, endpoint, many)
	for clock.Now().Before(start.Add(10 * time.Minute)) {
		var now []types.NamespacedName
		next := start.Add(time.Hour)
		for name, at := range due {
			if !at.After(clock.Now()) {
				now = append(now, name)
			} else if at.Before(next) {
				next = at
			}
		}
		if len(now) == 0 {
			clock.SetTime(next)
			continue
		}
		reconcileAll(t, reconciler, clock, now, due, workers)
	}
	if got := endpoint.within(start, start.Add(time.Minute)); got > 3 {
		t.Errorf("%d requests in the minute of the Retry-After, want at most 3", got)
	}
	for minute := 1; minute < 10; minute++ {
		from := start.Add(time.Duration(minute) * time.Minute)
		if got := endpoint.within(from, from.Add(time.Minute)); got < 1 || got > 3 {
			t.Errorf("%d requests in minute %d, want 1 to 3: each is answered with another Retry-After", got, minute)
		}
	}
	t.Logf("%d requests in ten minutes", len(endpoint.asked))
}

// reconcileAll reconciles some objects and records when each is due again.
func reconcileAll(t *testing.T, r *controllers.CDPCredentialReconciler, clock *clocktesting.FakeClock, names []types.NamespacedName, due map[types.NamespacedName]time.Time, workers int) {
	t.Helper()
	var mu sync.Mutex
	var working sync.WaitGroup
	work := make(chan types.NamespacedName)
	for range workers {
		working.Go(func() {
			for name := range work {
				result, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: name})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				if result.RequeueAfter > 0 {
					due[name] = clock.Now().Add(result.RequeueAfter)
				} else {
					delete(due, name)
				}
				mu.Unlock()
			}
		})
	}
	for _, name := range names {
		work <- name
	}
	close(work)
	working.Wait()
}

// throttling is an endpoint that answers every request with 429 and Retry-After 60.
type throttling struct {
	now func() time.Time

	mu    sync.Mutex
	asked []time.Time
}

func (e *throttling) Exchange(context.Context, http.RoundTripper, exchange.Request) (exchange.Token, error) {
	e.mu.Lock()
	e.asked = append(e.asked, e.now())
	e.mu.Unlock()
	// Long enough for all workers to arrive before the first answer.
	timer := time.NewTimer(20 * time.Millisecond)
	<-timer.C
	return exchange.Token{}, &exchange.Error{Kind: exchange.Throttled, Status: http.StatusTooManyRequests, RetryAfter: time.Minute, HasRetryAfter: true}
}

func (e *throttling) within(from, to time.Time) int {
	n := 0
	for _, at := range e.asked {
		if !at.Before(from) && at.Before(to) {
			n++
		}
	}
	return n
}

// throttledReconciler returns a reconciler for many objects, all due at once.
func throttledReconciler(t *testing.T, clock *clocktesting.FakeClock, endpoint controllers.Exchanger, many int) (*controllers.CDPCredentialReconciler, map[types.NamespacedName]time.Time) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	var objects []client.Object
	due := map[types.NamespacedName]time.Time{}
	for i := range many {
		obj := &v1alpha1.CDPCredential{}
		obj.Namespace, obj.Name, obj.Generation = "ns", fmt.Sprintf("c%03d", i), 1
		obj.UID = types.UID(obj.Name)
		obj.Spec.Provider.OAuth2 = &v1alpha1.OAuth2{TokenURL: "https://auth.example.com/token"}
		obj.Spec.ClientSecretRef.Name, obj.Spec.Target.Name = "client", obj.Name+"-token"
		objects = append(objects, obj)
		due[client.ObjectKeyFromObject(obj)] = clock.Now()
	}
	secret := &corev1.Secret{Data: map[string][]byte{"client-id": []byte("id"), "client-secret": []byte("secret")}}
	secret.Namespace, secret.Name = "ns", "client"
	secret.Annotations = map[string]string{v1alpha1.AllowedHostsAnnotation: "auth.example.com"}
	store := fake.NewClientBuilder().WithScheme(scheme).WithObjects(append(objects, secret)...).WithStatusSubresource(&v1alpha1.CDPCredential{}).Build()
	metrics, err := telemetry.New(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	chance := rand.New(rand.NewPCG(1, 2))
	var mu sync.Mutex
	return &controllers.CDPCredentialReconciler{
		Cluster:   controllers.Cluster{Client: store, Live: store, Recorder: &events.FakeRecorder{}},
		Endpoints: controllers.Endpoints{Exchanger: endpoint, Transports: noTransports{}, Gate: egress.NewGate(egress.Limits{})},
		Sources:   controllers.Sources{Clock: clock, Jitter: func() float64 { mu.Lock(); defer mu.Unlock(); return chance.Float64() }, Rand: zeros{}},
		Metrics:   metrics,
	}, due
}

type noTransports struct{}

func (noTransports) For(string, []byte) (http.RoundTripper, error) { return http.DefaultTransport, nil }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
