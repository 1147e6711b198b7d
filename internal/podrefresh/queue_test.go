// SPDX-License-Identifier: Apache-2.0

package podrefresh

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
)

var start = time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)

// TestDueAt: about a second after the write, and at most 0.3 s after an urgent one.
func TestDueAt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		urgent bool
		chance float64
		want   time.Duration
	}{
		{false, 0, 800 * time.Millisecond}, {false, 0.5, time.Second}, {false, 1, 1200 * time.Millisecond},
		{true, 0, 100 * time.Millisecond}, {true, 1, 300 * time.Millisecond},
	} {
		if got := dueAt(Write{Urgent: tc.urgent}, start, tc.chance).Sub(start); got != tc.want {
			t.Errorf("urgent %v, chance %v: after %v, want %v", tc.urgent, tc.chance, got, tc.want)
		}
	}
}

// put adds a write of namespace/secret at a time after start, due a second later.
func (q *queue) put(namespace, secret, version string, after time.Duration) bool {
	w := Write{Object: types.NamespacedName{Namespace: namespace, Name: secret}, Secret: secret, Version: version}
	return q.add(queued{Write: w, written: start.Add(after), due: start.Add(after + time.Second)})
}

// taken are the Secrets and versions of a batch.
func taken(batch []queued) []string {
	var all []string
	for _, w := range batch {
		all = append(all, w.Secret+"="+w.Version)
	}
	slices.Sort(all)
	return all
}

// TestQueueCoalesces: writes of a namespace that come together are one batch, at the time of the first; those that are too young wait for their own.
func TestQueueCoalesces(t *testing.T) {
	t.Parallel()
	var q queue
	q.put("marketing", "a", "1", 0)
	q.put("marketing", "b", "2", 400*time.Millisecond)
	q.put("marketing", "a", "3", 450*time.Millisecond) // replaces the first
	q.put("marketing", "young", "4", 1300*time.Millisecond)
	q.put("web", "a", "5", 100*time.Millisecond)

	steps := []struct {
		namespace string
		due       time.Duration
		want      []string
	}{
		{"web", 1100 * time.Millisecond, []string{"a=5"}},
		{"marketing", 1400 * time.Millisecond, []string{"a=3", "b=2"}},
		{"marketing", 2300 * time.Millisecond, []string{"young=4"}},
	}
	for _, step := range steps {
		namespace, due, ok := q.next()
		if !ok || namespace != step.namespace || due.Sub(start) != step.due {
			t.Fatalf("next is %s after %v (%v), want %s after %v", namespace, due.Sub(start), ok, step.namespace, step.due)
		}
		if diff := cmp.Diff(step.want, taken(q.take(namespace, due))); diff != "" {
			t.Fatalf("%s after %v: -want +got:\n%s", namespace, step.due, diff)
		}
		q.done(namespace)
	}
	if _, _, ok := q.next(); ok || q.size != 0 {
		t.Errorf("%d writes are left", q.size)
	}
}

// TestQueueHasOneBatchOfANamespaceAtATime, since two would overwrite each other's annotations.
func TestQueueHasOneBatchOfANamespaceAtATime(t *testing.T) {
	t.Parallel()
	var q queue
	q.put("marketing", "a", "1", 0)
	q.take("marketing", start.Add(time.Hour))
	q.put("marketing", "a", "2", 0)
	if namespace, _, ok := q.next(); ok {
		t.Errorf("%s is next while its batch is under way", namespace)
	}
	q.done("marketing")
	if _, _, ok := q.next(); !ok {
		t.Error("nothing is next after the batch")
	}
}

// TestQueueIsBounded: a Secret that is in it already finds room all the same.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	var q queue
	for i := range maxQueued {
		if !q.put(fmt.Sprint("n", i%100), fmt.Sprint("s", i), "1", 0) {
			t.Fatalf("no room for write %d", i)
		}
	}
	if q.put("n1", "more", "1", 0) || q.size != maxQueued {
		t.Errorf("it holds %d writes, want %d at most", q.size, maxQueued)
	}
	if !q.put("n1", "s1", "2", 0) {
		t.Error("no room for a newer version of a Secret")
	}
	q.take("n1", start.Add(time.Hour))
	if !q.put("n1", "more", "1", 0) {
		t.Error("no room after a batch")
	}
}
