// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"context"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	utilsclock "k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/controllers"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// A wiring is what SetupWithManager registers with a manager: the cache's indexes, which watch event queues which object, and the rate limiter for
// failed reconciles. The real function fills it once; every replica then borrows it.
type wiring struct {
	indexes              map[string]client.IndexerFunc
	credentials, secrets toolscache.ResourceEventHandler
	listening            sync.Mutex // guards the two handlers while they are set
	limiter              workqueue.TypedRateLimiter[reconcile.Request]
	// hearing is the replica that the handlers currently work for, reconciler the one that they were set up for.
	hearing    *replica
	reconciler *controllers.CDPCredentialReconciler
	// history, if not nil, is handed to the API server of the next world, which records what happens there.
	history *history
	// begins is called for every reconcile that begins. May be nil.
	begins func(*replica, types.NamespacedName)
	// idle are coroutines that can be reused: their stacks have grown already.
	idle []*coroutine
}

// newWiring must be called outside of a world: it waits for goroutines of the real controller, which end with the test.
func newWiring(t testing.TB) *wiring {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	wires := &wiring{indexes: map[string]client.IndexerFunc{}}
	recorder := &recordingManager{wires: wires, scheme: scheme, heard: make(chan struct{}, 3)}
	wires.reconciler = &controllers.CDPCredentialReconciler{
		Cluster: controllers.Cluster{Client: lentClient{wires: wires}}, Endpoints: controllers.Endpoints{Gate: egress.NewGate(egress.Limits{})},
		Sources: controllers.Sources{Rand: zeros{}, Clock: longAgo()},
	}
	if err := wires.reconciler.SetupWithManager(t.Context(), recorder, 1); err != nil {
		t.Fatalf("set up the controller: %v", err)
	}
	// The controller's type is internal, but these two fields are exported. Without workers it only starts its watches.
	controller := reflect.ValueOf(recorder.added).Elem()
	controller.FieldByName("MaxConcurrentReconciles").SetInt(0)
	controller.FieldByName("NewQueue").Set(reflect.ValueOf(
		func(_ string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
			wires.limiter = limiter
			return lentQueue{wires: wires}
		}))
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := recorder.added.Start(ctx); err != nil {
			t.Errorf("start the controller: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); done.Wait() })
	for range cap(recorder.heard) {
		<-recorder.heard
	}
	return wires
}

// A recordingManager implements as much of a manager and its cache as a controller needs to be set up and to start its watches.
type recordingManager struct {
	manager.Manager
	cache.Cache
	wires  *wiring
	scheme *runtime.Scheme
	added  manager.Runnable
	heard  chan struct{}
}

func (m *recordingManager) GetCache() cache.Cache                { return m }
func (m *recordingManager) GetFieldIndexer() client.FieldIndexer { return m }
func (m *recordingManager) GetScheme() *runtime.Scheme           { return m.scheme }
func (m *recordingManager) GetLogger() logr.Logger               { return logr.Discard() }
func (m *recordingManager) GetControllerOptions() config.Controller {
	return config.Controller{SkipNameValidation: new(true)}
}
func (m *recordingManager) Add(r manager.Runnable) error { m.added = r; return nil }

// Start is a method of both the manager and the cache.
func (m *recordingManager) Start(context.Context) error { return nil }

func (m *recordingManager) WaitForCacheSync(context.Context) bool { return true }

func (m *recordingManager) IndexField(_ context.Context, _ client.Object, field string, index client.IndexerFunc) error {
	m.wires.indexes[field] = index
	return nil
}

func (m *recordingManager) GetInformer(_ context.Context, obj client.Object, _ ...cache.InformerGetOption) (cache.Informer, error) {
	return &recordingInformer{manager: m, obj: obj}, nil
}

type recordingInformer struct {
	cache.Informer
	manager *recordingManager
	obj     client.Object
}

func (i *recordingInformer) AddEventHandlerWithOptions(handler toolscache.ResourceEventHandler, _ toolscache.HandlerOptions) (toolscache.ResourceEventHandlerRegistration, error) {
	wires := i.manager.wires
	wires.listening.Lock()
	defer wires.listening.Unlock()
	if _, ok := i.obj.(*v1alpha1.CDPCredential); !ok {
		wires.secrets = handler
	} else if wires.credentials == nil {
		wires.credentials = handler
	} else {
		wires.credentials = both{wires.credentials, handler}
	}
	i.manager.heard <- struct{}{}
	return synced{}, nil
}

// both calls two handlers of one watch.
type both struct {
	one, other toolscache.ResourceEventHandler
}

func (b both) OnAdd(obj any, initial bool) {
	b.one.OnAdd(obj, initial)
	b.other.OnAdd(obj, initial)
}

func (b both) OnUpdate(before, after any) {
	b.one.OnUpdate(before, after)
	b.other.OnUpdate(before, after)
}

func (b both) OnDelete(obj any) {
	b.one.OnDelete(obj)
	b.other.OnDelete(obj)
}

// longAgo is a clock by which no token is urgent: the simulated queue has no priorities.
func longAgo() utilsclock.PassiveClock { return testingclock.NewFakePassiveClock(time.Unix(0, 0)) }

type synced struct {
	toolscache.ResourceEventHandlerRegistration
}

func (synced) HasSynced() bool { return true }

// A lentQueue passes what the handlers add to the current replica.
type lentQueue struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	wires *wiring
}

func (q lentQueue) Add(req ctrl.Request) { q.wires.hearing.enqueue(req.NamespacedName, 0) }
func (q lentQueue) AddAfter(req ctrl.Request, after time.Duration) {
	q.wires.hearing.enqueue(req.NamespacedName, after)
}
func (lentQueue) ShutDown() {}

// A lentClient reads from the current replica's cache for the handlers.
type lentClient struct {
	client.Client
	wires *wiring
}

func (c lentClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return c.wires.hearing.List(ctx, list, opts...)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func requestFor(name types.NamespacedName) reconcile.Request {
	return reconcile.Request{NamespacedName: name}
}
