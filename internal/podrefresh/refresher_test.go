// SPDX-License-Identifier: Apache-2.0

package podrefresh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// fakeAPI is an API server with some pods, at which each request takes a moment.
type fakeAPI struct {
	mu    sync.Mutex
	pods  map[string][]*corev1.Pod
	calls []string
	began time.Time
	// fail gives errors of requests, "list marketing" and "patch etl-1".
	fail func(call string) error
	// most is how many requests were under way at the same time.
	now, most atomic.Int32
	took      time.Duration
}

func (a *fakeAPI) request(call string) error {
	a.most.Store(max(a.most.Load(), a.now.Add(1)))
	defer a.now.Add(-1)
	time.Sleep(a.took)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, fmt.Sprintf("%.1fs %s", time.Since(a.began).Seconds(), call))
	if a.fail == nil {
		return nil
	}
	return a.fail(call)
}

func (a *fakeAPI) List(_ context.Context, namespace string, limit int, next string) (*corev1.PodList, error) {
	if err := a.request("list " + namespace); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	from := 0
	if next != "" {
		_, _ = fmt.Sscan(next, &from)
	}
	all := a.pods[namespace]
	page := &corev1.PodList{}
	for _, pod := range all[from:min(from+limit, len(all))] {
		page.Items = append(page.Items, *pod.DeepCopy())
	}
	if from+limit < len(all) {
		page.Continue = fmt.Sprint(from + limit)
	}
	return page, nil
}

func (a *fakeAPI) Annotate(_ context.Context, namespace, name, uid, value string) error {
	if err := a.request("patch " + name + " " + value); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, pod := range a.pods[namespace] {
		if pod.Name == name && string(pod.UID) == uid {
			pod.Annotations = map[string]string{v1alpha1.SecretVersionAnnotation: value}
		}
	}
	return nil
}

// add has n pods of a namespace mount Secrets.
func (a *fakeAPI) add(namespace string, n int, secrets ...string) {
	for range n {
		pod := running()
		for _, secret := range secrets {
			pod.Spec.Volumes = append(pod.Spec.Volumes, secretVolume(secret))
		}
		pod.Namespace, pod.Name = namespace, fmt.Sprint(namespace, "-", len(a.pods[namespace]))
		a.pods[namespace] = append(a.pods[namespace], pod)
	}
}

// rig is a Refresher at work on a fake clock.
type rig struct {
	*Refresher
	*fakeAPI
	stop func()
	// discardResults ignores results.
	discardResults atomic.Bool

	mu      sync.Mutex
	results []string
	after   []time.Duration
}

// woken reads a result as its object would.
func (g *rig) woken(ctx context.Context, object types.NamespacedName) {
	if g.discardResults.Load() {
		<-ctx.Done()
	}
	r, ok := g.Result(object)
	_, again := g.Result(object)
	g.mu.Lock()
	defer g.mu.Unlock()
	if !ok || again {
		g.results = append(g.results, fmt.Sprintf("%s: a result: %v, another one: %v", object, ok, again))
		return
	}
	g.results = append(g.results, strings.TrimSpace(fmt.Sprintf("%s %d/%d %s", object, r.Refreshed, r.Mounting, r.Reason)))
}

// inRig runs a test with a Refresher; jitter is none.
func inRig(t *testing.T, test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := &rig{fakeAPI: &fakeAPI{pods: map[string][]*corev1.Pod{}, began: time.Now()}}
		g.Refresher = New(Options{
			API: g.fakeAPI, Clock: clock.RealClock{}, Jitter: func() float64 { return 0.5 }, Wake: g.woken,
			Observe: func(d time.Duration) { g.mu.Lock(); defer g.mu.Unlock(); g.after = append(g.after, d) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- g.Start(ctx) }()
		g.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		defer g.stop()
		test(t, g)
	})
}

func (g *rig) wrote(namespace, secret, version string, urgent bool) {
	g.Enqueue(Write{Object: types.NamespacedName{Namespace: namespace, Name: secret}, Secret: secret, Version: version, Urgent: urgent})
}

// check compares what was asked and reported by now.
func (g *rig) check(t *testing.T, calls, results []string) {
	t.Helper()
	synctest.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.Sort(g.results)
	slices.Sort(g.calls)
	if diff := cmp.Diff(calls, g.calls); diff != "" {
		t.Errorf("requests, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(results, g.results); diff != "" {
		t.Errorf("results, -want +got:\n%s", diff)
	}
}

// TestRefresherTellsPodsASecondAfterTheWrite, once for all Secrets of a namespace that change together, and at once where every second counts.
func TestRefresherTellsPodsASecondAfterTheWrite(t *testing.T) {
	t.Parallel()
	inRig(t, func(t *testing.T, g *rig) {
		g.add("web", 1, "a", "b")
		g.add("web", 1, "other")
		time.Sleep(10 * time.Second)
		g.check(t, nil, nil) // nothing is asked for nothing
		g.wrote("web", "a", "1", false)
		time.Sleep(300 * time.Millisecond)
		g.wrote("web", "b", "2", false)
		time.Sleep(10 * time.Second)
		g.wrote("web", "b", "3", true)
		time.Sleep(10 * time.Second)
		g.check(t, []string{"11.0s list web", "11.0s patch web-0 a=1,b=2", "20.5s list web", "20.5s patch web-0 a=1,b=3"},
			[]string{"web/a 1/1", "web/b 1/1", "web/b 1/1"})
		if diff := cmp.Diff([]time.Duration{time.Second, 700 * time.Millisecond, 200 * time.Millisecond}, g.after); diff != "" {
			t.Errorf("observed, -want +got:\n%s", diff)
		}
	})
}

// TestRefresherIsBounded: 8 requests at once at most, however many pods and namespaces, all pages of a list are read, and all is done within seconds.
func TestRefresherIsBounded(t *testing.T) {
	t.Parallel()
	inRig(t, func(t *testing.T, g *rig) {
		g.took = 10 * time.Millisecond
		for n := range 10 {
			namespace := fmt.Sprint("n", n)
			g.add(namespace, 150, "a")
			g.wrote(namespace, "a", "1", false)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for _, result := range g.results {
			if !strings.HasSuffix(result, " 150/150") {
				t.Error(result)
			}
		}
		if len(g.results) != 10 || len(g.calls) != 10*(150+2) || g.most.Load() != maxRequests {
			t.Errorf("%d results, %d requests, %d at once", len(g.results), len(g.calls), g.most.Load())
		}
	})
}

// TestRefresherReportsRefusals: what may work a second later is tried again; what is forbidden is not, and no pod is in the way of another.
func TestRefresherReportsRefusals(t *testing.T) {
	t.Parallel()
	pods := schema.GroupResource{Resource: "pods"}
	forbidden, unavailable := apierrors.NewForbidden(pods, "", nil), apierrors.NewServiceUnavailable("later")
	for name, tc := range map[string]struct {
		fail   func(call string, n int) error
		calls  []string
		result string
	}{
		"no right to list": {
			fail:  func(string, int) error { return forbidden },
			calls: []string{"1.0s list web"}, result: "web/a 0/0 PodRefreshForbidden",
		},
		"the list fails once": {
			fail: func(call string, n int) error {
				if n == 0 {
					return unavailable
				}
				return nil
			},
			calls: []string{"1.0s list web", "2.0s list web", "2.0s patch web-0 a=1", "2.0s patch web-1 a=1"}, result: "web/a 2/2",
		},
		"the list fails again and again": {
			fail:  func(string, int) error { return unavailable },
			calls: []string{"1.0s list web", "2.0s list web", "4.0s list web"}, result: "web/a 0/0 PodRefreshFailed",
		},
		"one pod is refused by a policy": {
			fail:  only("patch web-0 ", apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "web-0", nil)),
			calls: []string{"1.0s list web", "1.0s patch web-0 a=1", "1.0s patch web-1 a=1"}, result: "web/a 1/2 PodRefreshForbidden",
		},
		"one pod fails": {
			fail:  only("patch web-0 ", errors.New("connection reset")),
			calls: []string{"1.0s list web", "1.0s patch web-0 a=1", "1.0s patch web-1 a=1", "2.0s patch web-0 a=1", "4.0s patch web-0 a=1"}, result: "web/a 1/2 PodRefreshFailed",
		},
		"one pod has ended meanwhile": {
			fail:  only("patch web-0 ", ErrGone),
			calls: []string{"1.0s list web", "1.0s patch web-0 a=1", "1.0s patch web-1 a=1"}, result: "web/a 1/1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inRig(t, func(t *testing.T, g *rig) {
				n := 0
				g.fail = func(call string) error { n++; return tc.fail(call, n-1) }
				g.add("web", 2, "a")
				g.wrote("web", "a", "1", false)
				time.Sleep(time.Minute)
				g.check(t, tc.calls, []string{tc.result})
			})
		})
	}
}

func only(call string, err error) func(string, int) error {
	return func(got string, _ int) error {
		if strings.HasPrefix(got, call) {
			return err
		}
		return nil
	}
}

// TestRefresherTellsOfWhatIsLeftWhenItEnds: a planned end of the process costs pods no minute.
func TestRefresherTellsOfWhatIsLeftWhenItEnds(t *testing.T) {
	t.Parallel()
	inRig(t, func(t *testing.T, g *rig) {
		for n := range 6 { // more than are refreshed at the same time
			namespace := fmt.Sprint("n", n)
			g.add(namespace, 1, "a")
			g.wrote(namespace, "a", "1", false)
		}
		time.Sleep(100 * time.Millisecond)
		g.discardResults.Store(true) // the controller ends, too
		g.stop()
		synctest.Wait()
		if len(g.results) != 6 || time.Since(g.began) > time.Second {
			t.Errorf("%d results after %v", len(g.results), time.Since(g.began))
		}
	})
}

// TestRefresherEndsInTime: an API server that hangs keeps the next leader waiting for two seconds at most, and nothing is reported of what is not known.
func TestRefresherEndsInTime(t *testing.T) {
	t.Parallel()
	inRig(t, func(t *testing.T, g *rig) {
		g.fail = func(string) error { return errors.New("connection reset") } // tried again for three seconds
		g.wrote("web", "a", "1", false)
		time.Sleep(100 * time.Millisecond)
		g.stop()
		synctest.Wait()
		if took := time.Since(g.began); took > 2200*time.Millisecond || len(g.results) > 0 {
			t.Errorf("it took %v and reported %v", took, g.results)
		}
	})
}

// TestPodsAsksForFewerWhenTheyAreLarge: pages shrink until one can be read, and a pod that alone is too large is an error.
func TestPodsAsksForFewerWhenTheyAreLarge(t *testing.T) {
	t.Parallel()
	api := &fakeAPI{pods: map[string][]*corev1.Pod{}, began: time.Now()}
	api.add("web", 30, "a")
	var limits []int
	large := limited{api, func(limit int) bool { limits = append(limits, limit); return limit > 12 }}
	n := 0
	for _, err := range pods(t.Context(), large, "web") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if diff := cmp.Diff([]int{100, 12, 12, 12}, limits); diff != "" || n != 30 {
		t.Errorf("%d pods, limits -want +got:\n%s", n, diff)
	}
	for _, err := range pods(t.Context(), limited{api, func(int) bool { return true }}, "web") {
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("got %v, want %v", err, ErrTooLarge)
		}
	}
}

// limited is an API at which some pages are too large.
type limited struct {
	*fakeAPI
	tooLarge func(limit int) bool
}

func (l limited) List(ctx context.Context, namespace string, limit int, next string) (*corev1.PodList, error) {
	if l.tooLarge(limit) {
		return nil, ErrTooLarge
	}
	return l.fakeAPI.List(ctx, namespace, limit, next)
}

// TestRefresherWithAFullQueueSaysSo: what finds no room is a failure of the object that wrote it.
func TestRefresherWithAFullQueueSaysSo(t *testing.T) {
	t.Parallel()
	r := New(Options{Clock: clock.RealClock{}, Jitter: func() float64 { return 0 }})
	for i := range maxQueued {
		r.Enqueue(Write{Object: types.NamespacedName{Namespace: "web", Name: fmt.Sprint(i)}, Secret: fmt.Sprint(i)})
	}
	object := types.NamespacedName{Namespace: "web", Name: "more"}
	r.Enqueue(Write{Object: object, Secret: "more"})
	if got, ok := r.Result(object); !ok || got != (Result{Reason: v1alpha1.EventPodRefreshFailed}) {
		t.Errorf("got %+v, %v", got, ok)
	}
	if got, ok := r.Result(types.NamespacedName{Namespace: "web", Name: "1"}); ok {
		t.Errorf("of what waits there is the result %+v", got)
	}
}
