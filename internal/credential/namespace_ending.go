// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"sync"
	"time"
)

const (
	// CacheLag is how long to wait before looking again whether the cache has caught up.
	CacheLag = 100 * time.Millisecond
	// MaxLag is how long a cache is given to catch up in all.
	MaxLag = 10 * time.Second
)

const (
	// EndingKnownFor is how long the API server's word on whether a namespace is being deleted is good.
	EndingKnownFor = 20 * time.Second
	// endingAskedFor is how long others wait for the one that asks.
	endingAskedFor = 10 * time.Second
)

// NamespaceEndings are the namespaces of which the API server was asked whether they are being deleted. What is in such a namespace goes one by one, thousands
// of Secrets perhaps before their objects: nobody wants to be told of each, and nothing can be made in it any more.
type NamespaceEndings struct {
	mu sync.Mutex
	Of map[string]namespaceEnding
}

type namespaceEnding struct {
	at      time.Time
	pending bool
	ends    bool
}

// Recall gives what is known of a namespace. If nothing is, the caller is to ask; somebody else who does makes him wait.
func (e *NamespaceEndings) Recall(namespace string, now time.Time) (ends, ask bool, wait time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, ok := e.Of[namespace]
	age := now.Sub(known.at)
	switch {
	case ok && age >= 0 && known.pending && age < endingAskedFor:
		return false, false, CacheLag
	case ok && age >= 0 && !known.pending && age < EndingKnownFor:
		return known.ends, false, 0
	}
	for name, old := range e.Of {
		if now.Sub(old.at) >= EndingKnownFor {
			delete(e.Of, name)
		}
	}
	if e.Of == nil {
		e.Of = map[string]namespaceEnding{}
	}
	e.Of[namespace] = namespaceEnding{at: now, pending: true}
	return false, true, 0
}

// Learn remembers whether a namespace is being deleted, as found at the time now.
func (e *NamespaceEndings) Learn(namespace string, now time.Time, ends bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Of[namespace] = namespaceEnding{at: now, ends: ends}
}
