// SPDX-License-Identifier: Apache-2.0

package simulation

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	apiruntime "k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

const (
	// histories is the number of worlds that are repeated at the real API server, historyLength the number of events of each.
	histories     = 48
	historyLength = 300
)

// TestHistories repeats at a real API server what happened in simulated worlds: the simulation proves nothing unless its API server behaves like the
// real one.
func TestHistories(t *testing.T) {
	api, seen := realAPIServer(t), answersSeen{counts: map[string]int{}}
	t.Run("requests that the operator seldom makes", func(t *testing.T) {
		for i, h := range rareHistories {
			t.Run(h.name, func(t *testing.T) {
				t.Parallel()
				did := &history{}
				h.do(newWorld(1, &wiring{history: did}).api)
				seen.add(did)
				if err := newReplay(t.Context(), api, fmt.Sprintf("rare-%d-", i)).run(did); err != nil {
					t.Error(err)
				}
			})
		}
	})
	var next atomic.Int64
	var all sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) { // they mostly wait for the API server
		wires := newWiring(t)
		all.Go(func() {
			for seed := uint64(next.Add(1)); seed <= histories; seed = uint64(next.Add(1)) {
				did := &history{}
				wires.history = did
				p := planOf(seed)
				live(&p, wires, nil) // TestSeeds checks whether it breaks a promise
				did.all = did.all[:min(len(did.all), historyLength)]
				seen.add(did)
				if err := newReplay(t.Context(), api, fmt.Sprintf("seed-%d-", seed)).run(did); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
	}
	all.Wait()
	t.Logf("requests and responses: %v", seen.counts)
	for _, must := range []string{
		"create: 200", "create: 409 AlreadyExists", "create: 403 Forbidden, namespace terminating", "patch: 200", "patch: 404 NotFound", "patch: 409 Conflict", "patch: 422 Invalid",
		"patch status: 200", "patch status: 404 NotFound", "patch status: 422 Invalid", "delete: 200", "delete: 404 NotFound", "delete: 409 Conflict",
		"dry-run create: 200", "dry-run create: 409 AlreadyExists", "dry-run create: 403 Forbidden, namespace terminating", "dry-run patch: 200", "dry-run patch: 404 NotFound",
		"dry-run patch: 409 Conflict", "dry-run patch: 422 Invalid",
	} {
		if seen.counts[must] == 0 {
			t.Errorf("no history contains %s", must)
		}
	}
}

// answersSeen counts the answers to each kind of request.
type answersSeen struct {
	mu     sync.Mutex
	counts map[string]int
}

func (a *answersSeen) add(h *history) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range h.all {
		if h.all[i].verb != "" {
			a.counts[string(h.all[i].verb)+": "+verdictOf(h.all[i].err)]++
		}
	}
}

// realAPIServer starts an API server that stops when the test ends.
func realAPIServer(t *testing.T) client.Client {
	t.Helper()
	if testing.Short() {
		t.Skip("needs an API server")
	}
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		const what = "KUBEBUILDER_ASSETS is not set, so there is no API server to compare with: run `make test`, or " +
			"KUBEBUILDER_ASSETS=$(hack/envtest/assets.sh) go test ./test/simulation"
		if os.Getenv("CI") != "" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	scheme := apiruntime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:        []string{"../../config/crd/bases"},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: 2 * time.Minute,
		ControlPlaneStopTimeout:  time.Minute,
	}
	config, err := environment.Start()
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatalf("start etcd and kube-apiserver: %v", err)
	}
	config.QPS = -1
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return api
}
