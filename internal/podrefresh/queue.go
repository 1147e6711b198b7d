// SPDX-License-Identifier: Apache-2.0

package podrefresh

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// A Write is an acknowledged write of the data of a Secret.
type Write struct {
	// Object is the CDPCredential that wrote it. Its namespace is the Secret's.
	Object types.NamespacedName
	// Secret is its name, and Version its resourceVersion since the write.
	Secret, Version string
	// Urgent says that the data from before is of no use any more, so that every second counts.
	Urgent bool
}

const (
	// A kubelet's watch of the Secret may lag behind that of the pod, so the pod is told about a second after the write: firstDelay, and up to
	// delayJitter more. Writes of a namespace within that time are one list and one patch a pod.
	firstDelay, delayJitter = 800 * time.Millisecond, 400 * time.Millisecond
	// urgentDelay and urgentJitter are the same for urgent writes.
	urgentDelay, urgentJitter = 100 * time.Millisecond, 200 * time.Millisecond
	// settling is how old a write must be to join a batch that is not its own.
	settling = 500 * time.Millisecond
	// maxQueued is how many Secrets may wait.
	maxQueued = 20_000
)

// dueAt returns when pods are told of a write. Chance is in [0, 1).
func dueAt(w Write, written time.Time, chance float64) time.Time {
	delay, jitter := firstDelay, delayJitter
	if w.Urgent {
		delay, jitter = urgentDelay, urgentJitter
	}
	return written.Add(delay + time.Duration(chance*float64(jitter)))
}

// queued is a write that pods have not been told of.
type queued struct {
	Write
	written, due time.Time
}

// A queue holds the last write of each Secret until its pods are told, at most one batch of a namespace at a time. Its zero value is empty.
type queue struct {
	namespaces map[string]map[string]queued
	busy       map[string]bool
	size       int
}

// add replaces an earlier write of the same Secret. It reports whether there was room.
func (q *queue) add(w queued) bool {
	if q.namespaces == nil {
		q.namespaces, q.busy = map[string]map[string]queued{}, map[string]bool{}
	}
	secrets := q.namespaces[w.Object.Namespace]
	_, known := secrets[w.Secret]
	if !known && q.size >= maxQueued {
		return false
	}
	if secrets == nil {
		secrets = map[string]queued{}
		q.namespaces[w.Object.Namespace] = secrets
	}
	if !known {
		q.size++
	}
	secrets[w.Secret] = w
	return true
}

// next returns the namespace with the write that is due first, and when that is. Namespaces whose batch is under way are left out. False: there is none.
func (q *queue) next() (namespace string, due time.Time, ok bool) {
	for name, secrets := range q.namespaces {
		if q.busy[name] {
			continue
		}
		for _, w := range secrets {
			if !ok || w.due.Before(due) {
				namespace, due, ok = name, w.due, true
			}
		}
	}
	return namespace, due, ok
}

// take returns a namespace's writes that are due, and those that are old enough to be told of together with them. Call done afterwards.
func (q *queue) take(namespace string, now time.Time) []queued {
	var batch []queued
	for name, w := range q.namespaces[namespace] {
		if now.Before(w.due) && now.Sub(w.written) < settling {
			continue
		}
		batch = append(batch, w)
		delete(q.namespaces[namespace], name)
		q.size--
	}
	if len(q.namespaces[namespace]) == 0 {
		delete(q.namespaces, namespace)
	}
	q.busy[namespace] = true
	return batch
}

func (q *queue) done(namespace string) { delete(q.busy, namespace) }
