// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// observer sees every state of the CDPCredential in a namespace, as Argo CD and Flux do.
type observer struct {
	*testing.T
	script string

	mu   sync.Mutex
	seen []string // the verdicts, without repetitions
	read int      // how many of them until has read
	last *unstructured.Unstructured
}

// observe watches the credential etl from now on.
func observe(t *testing.T, c *lazyCluster, namespace string) *observer {
	t.Helper()
	o := &observer{T: t, script: readText(t, filepath.Join(customization, "health.lua"))}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(credentialKind)
	stream, err := c.watcher.Watch(t.Context(), list, client.InNamespace(namespace))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stream.Stop)
	go func() {
		for event := range stream.ResultChan() {
			obj, ok := event.Object.(*unstructured.Unstructured)
			if !ok || event.Type == watch.Deleted || obj.GetName() != "etl" {
				continue
			}
			o.add(obj, verdict(context.WithoutCancel(t.Context()), o.script, obj))
		}
	}()
	return o
}

func (o *observer) add(obj *unstructured.Unstructured, verdict string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = obj
	if len(o.seen) == 0 || o.seen[len(o.seen)-1] != verdict {
		o.seen = append(o.seen, verdict)
	}
}

// verdict is the result of kstatus and Argo CD for an object, and whether it is Ready.
func verdict(ctx context.Context, script string, obj *unstructured.Unstructured) string {
	computed, err := status.Compute(obj)
	if err != nil {
		return err.Error()
	}
	health, err := healthOf(ctx, script, obj.Object)
	if err != nil {
		return err.Error()
	}
	ready := "-"
	if condition := conditionOf(obj, "Ready"); condition != nil {
		ready = fmt.Sprint(condition["status"])
	}
	return fmt.Sprintf("%s %s Ready=%s", computed.Status, health.Status, ready)
}

func conditionOf(obj *unstructured.Unstructured, kind string) map[string]any {
	conditions, _, _ := unstructured.NestedSlice(obj.Object, "status", "conditions")
	for _, item := range conditions {
		if condition, ok := item.(map[string]any); ok && condition["type"] == kind {
			return condition
		}
	}
	return nil
}

// until waits for the next verdict that is as wanted.
func (o *observer) until(want string) {
	o.Helper()
	wait(o.T, want, func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		i := slices.Index(o.seen[o.read:], want)
		if i < 0 {
			return false
		}
		o.read += i
		return true
	}, func() string { return fmt.Sprintf("%q", o.story()) })
}

// story returns all verdicts so far.
func (o *observer) story() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.seen...)
}

// latest returns the object as last seen.
func (o *observer) latest() *unstructured.Unstructured {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last
}

// wait has a timeout of 90 s, for busy machines.
func wait(t *testing.T, what string, good func() bool, instead func() string) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for !good() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 90 s: %s; instead: %s", what, instead())
		}
		select {
		case <-ticker.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}
