// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"sync"
	"time"
)

const (
	// TerminationKnownFor is how long the API server's answer is valid.
	TerminationKnownFor = 20 * time.Second
	// terminationAskedFor is how long others wait for the one that asks.
	terminationAskedFor = 10 * time.Second
)

// TerminatingNamespaces remembers whether namespaces are being deleted, as the API server said. Such a namespace loses its objects one by one, perhaps
// thousands of Secrets before their CDPCredentials. Nobody wants to be told of each, and nothing can be created any more.
type TerminatingNamespaces struct {
	mu sync.Mutex
	Of map[string]namespaceTermination
}

type namespaceTermination struct {
	at time.Time
	// pending says that somebody is asking the API server.
	pending bool
	ends    bool
}

// valid reports whether it is recent enough to be relied on.
func (e namespaceTermination) valid(now time.Time) bool {
	limit := TerminationKnownFor
	if e.pending {
		limit = terminationAskedFor
	}
	age := now.Sub(e.at)
	return age >= 0 && age < limit
}

// Recall reports whether a namespace is being deleted. If that is unknown, the caller has to ask the API server, or to wait for somebody else who does.
func (e *TerminatingNamespaces) Recall(namespace string, now time.Time) (ends, ask bool, wait time.Duration) {
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
		e.Of = map[string]namespaceTermination{}
	}
	e.Of[namespace] = namespaceTermination{at: now, pending: true}
	return false, true, 0
}

func (e *TerminatingNamespaces) dropOld(now time.Time) {
	for name, old := range e.Of {
		if now.Sub(old.at) >= TerminationKnownFor {
			delete(e.Of, name)
		}
	}
}

// Learn remembers what the API server said of a namespace.
func (e *TerminatingNamespaces) Learn(namespace string, now time.Time, ends bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Of[namespace] = namespaceTermination{at: now, ends: ends}
}
