// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"sync"
	"time"
)

const (
	// EndingKnownFor is how long the API server's answer is valid.
	EndingKnownFor = 20 * time.Second
	// endingAskedFor is how long others wait for the one that asks.
	endingAskedFor = 10 * time.Second
)

// NamespaceEndings remembers whether namespaces are being deleted, as the API server said. Such a namespace loses its objects one by one, perhaps
// thousands of Secrets before their CDPCredentials. Nobody wants to be told of each, and nothing can be created any more.
type NamespaceEndings struct {
	mu sync.Mutex
	Of map[string]namespaceEnding
}

type namespaceEnding struct {
	at time.Time
	// pending says that somebody is asking the API server.
	pending bool
	ends    bool
}

// valid reports whether it is recent enough to be relied on.
func (e namespaceEnding) valid(now time.Time) bool {
	limit := EndingKnownFor
	if e.pending {
		limit = endingAskedFor
	}
	age := now.Sub(e.at)
	return age >= 0 && age < limit
}

// Recall reports whether a namespace is being deleted. If that is unknown, the caller has to ask the API server, or to wait for somebody else who does.
func (e *NamespaceEndings) Recall(namespace string, now time.Time) (ends, ask bool, wait time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	known, ok := e.Of[namespace]
	if ok && known.valid(now) {
		if known.pending {
			return false, false, CacheLag
		}
		return known.ends, false, 0
	}
	e.dropOld(now)
	if e.Of == nil {
		e.Of = map[string]namespaceEnding{}
	}
	e.Of[namespace] = namespaceEnding{at: now, pending: true}
	return false, true, 0
}

func (e *NamespaceEndings) dropOld(now time.Time) {
	for name, old := range e.Of {
		if now.Sub(old.at) >= EndingKnownFor {
			delete(e.Of, name)
		}
	}
}

// Learn remembers what the API server said of a namespace.
func (e *NamespaceEndings) Learn(namespace string, now time.Time, ends bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Of[namespace] = namespaceEnding{at: now, ends: ends}
}
