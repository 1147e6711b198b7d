// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// TestBadEndpointsDelayNobodyElse: a hundred credentials whose endpoint hangs, and a hundred whose endpoint throttles, must not delay a hundred
// others; and the throttled endpoint must be left alone by all its hundred.
func TestBadEndpointsDelayNobodyElse(t *testing.T) {
	const many = 100
	healthy := exchangetest.Behaviour{Latency: 50 * time.Millisecond}
	hanging := newEndpoints(t, exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault { return exchangetest.Hang() }})
	throttling := newEndpoints(t, exchangetest.Behaviour{Latency: 50 * time.Millisecond, Fault: func(exchangetest.Request) *exchangetest.Fault { return exchangetest.Throttled("60") }})
	sets := []*set{
		newSet(t, "warm-up", newEndpoints(t, healthy), 20),
		newSet(t, "alone", newEndpoints(t, healthy), many),
		newSet(t, "hanging", hanging, many),
		newSet(t, "throttled", throttling, many),
		newSet(t, "beside", newEndpoints(t, healthy), many),
	}
	warmUp, alone, hang, throttled, beside := sets[0], sets[1], sets[2], sets[3], sets[4]

	watched := ""
	for _, s := range sets {
		watched += s.namespace + ","
	}
	m, err := framework.StartManager(t.Context(), shared.binary, shared.kubeconfig, filepath.Join(t.TempDir(), "manager.log"),
		"--watch-namespaces="+watched, "--allowed-cidrs=127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Stop() })

	warmUp.latencies()
	before := alone.latencies()
	hang.create()
	throttled.create()
	wait(t, time.Minute, "the bad endpoints are called", func() bool {
		return hanging.Stats().InFlight[exchangetest.OAuth2] > 0 && throttling.Stats().Requests(exchangetest.OAuth2, exchangetest.OAuth2TokenPath) > 0
	})
	after := beside.latencies()
	p50, p99 := ratio(before, after, 50), ratio(before, after, 99)
	t.Logf("from the first object to each token, alone: median %s, 99th percentile %s; beside %d at a hanging and %d at a throttling endpoint: %s, %s; ratio %.3f, %.3f",
		percentile(before, 50), percentile(before, 99), many, many, percentile(after, 50), percentile(after, 99), p50, p99)
	if p99 > 1.10 {
		t.Errorf("the 99th percentile grew by a factor of %.3f, want at most 1.10", p99)
	}
	stats := hanging.Stats()
	if got := stats.MaxInFlight[exchangetest.OAuth2]; got > 8 {
		t.Errorf("%d requests were in flight at the hanging endpoint at a time, want at most 8", got)
	}
	if got := throttling.Stats().Requests(exchangetest.OAuth2, exchangetest.OAuth2TokenPath); got > 3 {
		t.Errorf("%d requests reached the endpoint with a Retry-After of a minute, want at most 3", got)
	}
}

// set is a number of credentials of one endpoint, in a namespace of their own.
type set struct {
	*testing.T
	namespace string
	endpoints *exchangetest.Server
	objects   []*v1alpha1.CDPCredential
}

// newSet creates the clients and their Secrets. It does not create the objects.
func newSet(t *testing.T, name string, endpoints *exchangetest.Server, n int) *set {
	t.Helper()
	s := &set{T: t, namespace: namespaceOf(t, name), endpoints: endpoints}
	for i := range n {
		name := fmt.Sprintf("c%03d", i)
		known := exchangetest.Client{System: exchangetest.OAuth2, ID: s.namespace + "-" + name, Secret: "the-secret-of-" + name, Auth: exchangetest.AuthPost}
		obj, err := prepareAt(t, endpoints, s.namespace, name, known)
		if err != nil {
			t.Fatal(err)
		}
		s.objects = append(s.objects, obj)
	}
	return s
}

// create creates all objects, a few at a time.
func (s *set) create() {
	s.Helper()
	errs := make(chan error, len(s.objects))
	next := make(chan *v1alpha1.CDPCredential)
	var creating sync.WaitGroup
	for range 8 {
		creating.Go(func() {
			for obj := range next {
				errs <- shared.cluster.Client.Create(s.Context(), obj)
			}
		})
	}
	for _, obj := range s.objects {
		next <- obj
	}
	close(next)
	creating.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			s.Fatal(err)
		}
	}
}

// latencies creates all objects and returns, sorted, how long after the first create each had its token. The creation rates of sets differ less than
// the endpoint's rate limit allows.
func (s *set) latencies() []time.Duration {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	clientset, err := kubernetes.NewForConfig(shared.cluster.Config)
	if err != nil {
		s.Fatal(err)
	}
	follow, err := clientset.CoreV1().Secrets(s.namespace).Watch(ctx, metav1.ListOptions{LabelSelector: v1alpha1.ManagedByLabel})
	if err != nil {
		s.Fatal(err)
	}
	defer follow.Stop()
	there := make(chan map[string]time.Time)
	go func() {
		seen := map[string]time.Time{}
		for event := range follow.ResultChan() {
			secret, ok := event.Object.(*corev1.Secret)
			if _, known := seen[secret.GetName()]; ok && !known && len(secret.Data["token"]) > 0 {
				seen[secret.Name] = time.Now()
			}
			if len(seen) == len(s.objects) {
				break
			}
		}
		there <- seen
	}()
	began := time.Now()
	s.create()
	seen := <-there
	if len(seen) < len(s.objects) {
		s.Fatalf("only %d of %d have a token", len(seen), len(s.objects))
	}
	var list []time.Duration
	for _, at := range seen {
		list = append(list, at.Sub(began))
	}
	slices.Sort(list)
	return list
}

func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)-1)*p/100].Round(time.Millisecond)
}

func ratio(before, after []time.Duration, p int) float64 {
	return percentile(after, p).Seconds() / percentile(before, p).Seconds()
}
