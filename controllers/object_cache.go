package controllers

import (
	"slices"
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
	apiFailure apiFailure
	// client is what was found when the client Secret was last read.
	client       credential.ClientComparison
	target       targetMemory
	token        tokenMemory
	verification verificationMemory
	// rollouts are what workloads wait for, of those that wait.
	rollouts map[v1alpha1.RolloutRestart]credential.RestartWait
	stale    staleMemory
}

// A targetMemory is what is known of the target Secret and of our writes to it.
type targetMemory struct {
	// seen are the target Secrets that we wrote or read; nearly always there is one.
	seen []credential.SeenTarget
	// confirmed says that this process has decided on an exchange with what the API server says, or has written the target itself.
	confirmed bool
	// uncertain says that a rewritten target may be there though the write was answered with an error.
	uncertain bool
	// terminating says that the namespace is being deleted.
	terminating bool
	// rewrites counts the rewrites since rewriteSince.
	rewrites     int
	rewriteSince time.Time
	// repairs are the last repairs of the target.
	repairs credential.RepairHistory
}

// A tokenMemory is what is known of the last tokens and attempts.
type tokenMemory struct {
	// pending is a token that was issued and could not yet be written.
	pending *credential.Publication
	// issuedAt is when this process last asked for a token that it was given, and issuance the count of that day: status and the target may both have
	// been taken away, and know nothing of a token that was never written. Zero: it was given none.
	issuedAt time.Time
	issuance *v1alpha1.Issuance
	// repeatedAt is when the endpoint last gave the current token again, and repeats how often in a row it has done so after its end.
	repeatedAt time.Time
	repeats    int
	// throttled is the last attempt that was answered with 429. Nil: none was since the last token.
	throttled *credential.ThrottledAttempt
	// assertions is what is known of the clock of the endpoint that judges them.
	assertions credential.AssertionClock
	// updateRefused is the MAC of the token whose resources the vendor did not change.
	updateRefused string
	// heldUpSince is since when the next exchange has waited for its turn, or for the API server to let it go on. Zero: it does not.
	heldUpSince time.Time
}

// A verificationMemory is what is known of the last verification.
type verificationMemory struct {
	// rejected is the MAC of the token that the API refused.
	rejected string
	// verified is what was last tried, token and address, and verifyAt when it is to be tried again. verifySpread says that the first try
	// after a start of the process was given its place. distrusted is the version of the client Secret that had no good CA for the try.
	verified     string
	distrusted   string
	verifyAt     time.Time
	verifySpread bool
}

// A staleMemory is what is left to do about targets that are not the target any more.
type staleMemory struct {
	// sharedTarget is the target if it holds keys of others and is not to be retained: when the object goes, it stays without ours. Empty: it is not so.
	sharedTarget string
	// cleanup is what is left to do about targets of earlier names.
	cleanup cleanup
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

// find returns what is known of a target.
func (m *targetMemory) find(name string) (credential.SeenTarget, bool) {
	for _, seen := range m.seen {
		if seen.Name == name {
			return seen, true
		}
	}
	return credential.SeenTarget{}, false
}

func (m *targetMemory) sawTarget(seen credential.SeenTarget) {
	m.forgetTarget(seen.Name)
	if len(m.seen) > 8 { // after a few renamings there is nothing to gain from the old ones
		m.seen = nil
	}
	m.seen = append(slices.Clip(m.seen), seen)
}

func (m *targetMemory) forgetTarget(name string) {
	m.seen = slices.DeleteFunc(m.seen, func(seen credential.SeenTarget) bool { return seen.Name == name })
}
