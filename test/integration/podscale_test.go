// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// TestPodRefreshAtScale renews 1,000 credentials of 100 namespaces at once, each mounted by two pods: all pods are refreshed within a minute, with
// one list per namespace and batch and one patch per pod. It runs only if CDP_TEST_SCALE is set, because it takes minutes.
func TestPodRefreshAtScale(t *testing.T) {
	if os.Getenv("CDP_TEST_SCALE") == "" {
		t.Skip("set CDP_TEST_SCALE to run this test")
	}
	const namespaces, each, podsOfOne = 100, 10, 2
	s := newStage(t)
	s.manager = s.namespace
	var rooms []*stage
	var names []string
	for n := range namespaces {
		name, err := s.cluster.namespace(t.Context(), fmt.Sprint("scale-", n))
		s.must(err)
		room := *s
		room.namespace = name
		rooms, names = append(rooms, &room), append(names, name)
	}
	var all []*credential
	var objects []client.Object
	for n, room := range rooms {
		for i := range each {
			c, obj := room.prepare(fmt.Sprintf("c%d-%d", n, i))
			obj.Spec.Target.RefreshPods = true
			all, objects = append(all, c), append(objects, obj)
		}
	}
	inParallel(objects, func(obj client.Object) { s.must(s.Client.Create(t.Context(), obj)) })
	inParallel(all, func(c *credential) {
		for i := range podsOfOne {
			pod := &corev1.Pod{ObjectMeta: c.meta(fmt.Sprint(c.name, "-", i)), Spec: corev1.PodSpec{NodeName: "nowhere", Containers: []corev1.Container{{Name: "main", Image: "example.com/app:1"}}}}
			pod.Spec.Volumes = []corev1.Volume{{Name: "token", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: c.name + "-token"}}}}
			s.must(s.Client.Create(t.Context(), pod))
			s.must(s.Client.Status().Patch(t.Context(), pod, client.RawPatch(types.MergePatchType, []byte(`{"status":{"phase":"Running"}}`))))
		}
	})

	registry := prometheus.NewRegistry()
	o := s.operate(assembly{identity: s.refresher(), podRefresh: true, namespaces: names, limits: egress.Limits{QPS: 100, HostInFlight: 32}, metrics: registry})
	s.until(5*time.Minute, "all pods refreshed with the first tokens", func() error { return s.toldAll(namespaces * each * podsOfOne) })
	time.Sleep(11 * time.Second) // the minimum interval between two tokens of an object

	mark, begin := o.requests.len(), time.Now()
	inParallel(all, func(c *credential) { c.request("now") })
	asked := time.Since(begin)
	s.until(time.Minute, "all tokens renewed", func() error {
		for _, c := range all {
			if n := c.issued(); n != 2 {
				return fmt.Errorf("%s: %d tokens", c.name, n)
			}
		}
		return nil
	})
	renewed := time.Since(begin)
	s.until(time.Minute-renewed, "all pods refreshed", func() error { return s.toldAll(namespaces * each * podsOfOne) })
	done := time.Since(begin)
	time.Sleep(3 * time.Second)
	counts := map[string]int{}
	for _, request := range o.requests.since(mark) {
		verb, what, _ := strings.Cut(request, " ")
		kind, _, named := strings.Cut(what, "/")
		if named && kind == "cdpcredentials" {
			kind = "status"
		}
		counts[verb+" "+kind]++
	}
	t.Logf("requested within %.1fs, renewed after %.1fs, all pods refreshed after %.1fs; requests: %v", asked.Seconds(), renewed.Seconds(), done.Seconds(), counts)
	if counts["patch pods"] != namespaces*each*podsOfOne || counts["list pods"] > namespaces*each {
		t.Errorf("want one patch per pod, and at most one list per object")
	}
	if counts["patch secrets"] != namespaces*each || counts["patch status"] > namespaces*each*11/10 {
		t.Errorf("want one write of the target and one of status per object")
	}
}

// toldAll returns an error unless n pods have been refreshed with the current version of their Secret.
func (s *stage) toldAll(n int) error {
	s.Helper()
	secrets, pods := &corev1.SecretList{}, &corev1.PodList{}
	s.must(s.Client.List(s.Context(), secrets))
	s.must(s.Client.List(s.Context(), pods))
	versions := map[string]string{}
	for _, secret := range secrets.Items {
		versions[secret.Namespace+"/"+secret.Name] = secret.ResourceVersion
	}
	told := 0
	for _, pod := range pods.Items {
		name, version, _ := strings.Cut(pod.Annotations[v1alpha1.SecretVersionAnnotation], "=")
		if name != "" && versions[pod.Namespace+"/"+name] == version {
			told++
		}
	}
	if told < n {
		return fmt.Errorf("%d of %d pods", told, n)
	}
	return nil
}

// inParallel calls do for each, eight at a time.
func inParallel[T any](all []T, do func(T)) {
	work := make(chan T)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for one := range work {
				do(one)
			}
		})
	}
	for _, one := range all {
		work <- one
	}
	close(work)
	workers.Wait()
}
