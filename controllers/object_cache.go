package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// objectCaches is what one process remembers between passes, to ask less and to know a lagging cache when it sees one. Nothing is wrong without
// it: a restart begins with none.
type objectCaches struct {
	mu      sync.Mutex
	objects map[types.NamespacedName]*objectCache
}

// objectCache is only touched by the one reconcile that an object has at a time. Each sub-reconciler has a part of its own.
type objectCache struct {
	uid types.UID
	// objectVersion is the object's resourceVersion after our last status patch.
	objectVersion string
	// lagging is since when the cache has shown the object older than it is. Zero: it does not.
	lagging time.Time
	// unsaved is the status that could not be written: the failures and the times in it hold all the same.
	unsaved *v1alpha1.CDPCredentialStatus
	// apiFailure is since when the API server has refused what is asked of it. Zero: it does not.
	apiFailure credential.APIFailure
	// client is what was found when the client Secret was last read.
	client       credential.ClientComparison
	target       credential.TargetMemory
	token        credential.TokenMemory
	verification credential.VerificationMemory
	// rollouts are what workloads wait for, of those that wait.
	rollouts map[v1alpha1.RolloutRestart]credential.RestartWait
	stale    credential.StaleMemory
}

func (m *objectCaches) of(name types.NamespacedName, uid types.UID) *objectCache {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.objects == nil {
		m.objects = map[types.NamespacedName]*objectCache{}
	}
	cache := m.objects[name]
	if cache == nil || cache.uid != uid {
		cache = &objectCache{uid: uid}
		m.objects[name] = cache
	}
	return cache
}

// known is what is remembered of an object. Nil: nothing.
func (m *objectCaches) known(name types.NamespacedName) *objectCache {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.objects[name]
}

func (m *objectCaches) forget(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
}
