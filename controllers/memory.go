package controllers

import (
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// memory is what one process remembers between passes, to ask less and to know a lagging cache when it sees one. Nothing is wrong without
// it: a restart begins with none.
type memory struct {
	mu      sync.Mutex
	objects map[types.NamespacedName]*remembered
}

// remembered is only touched by the one pass that an object has at a time.
type remembered struct {
	uid types.UID
	// objectVersion is the object's resourceVersion after our last status patch.
	objectVersion string
	// confirmed says that this process has decided on an exchange with what the API server says, or has written the target itself.
	confirmed bool
	// uncertain says that a rewritten target may be there though the write was answered with an error.
	uncertain bool
	// unsaved is the status that could not be written: the failures and the times in it hold all the same.
	unsaved *v1alpha1.CDPCredentialStatus
	// targets are the target Secrets that we wrote or looked into; nearly always there is one.
	targets []credential.SeenTarget
	// client is what was found when the client Secret was last read.
	client seenClient
	// pending is a token that was issued and could not yet be written.
	pending *credential.Publication
	// issuedAt is when this process last asked for a token that it was given, and issuance the count of that day: status and record may both have been taken away, and know nothing of a token that was never written. Zero: it was given none.
	issuedAt time.Time
	issuance *v1alpha1.Issuance
	// repeatedAt is when the endpoint last gave the held token again, and repeats how often in a row it has done so after its end.
	repeatedAt time.Time
	repeats    int
	// throttled is the last attempt that was answered with 429. Nil: none was since the last token.
	throttled *throttledAttempt
	// assertions is what is known of the clock of the endpoint that judges them.
	assertions credential.AssertionClock
	// terminating says that the namespace is being deleted.
	terminating bool
	// updateRefused is the seal of the Algonomy token whose resources the vendor did not change.
	updateRefused string
	// rejected is the seal of the token that the API refused.
	rejected string
	// verified is what was last tried, token and address, and verifyAt when it is to be tried again. verifySpread says that the first try
	// after a start of the process was given its place. distrusted is the version of the client Secret that had no good CA for the try.
	verified     string
	distrusted   string
	verifyAt     time.Time
	verifySpread bool
	// rewrites counts the rewrites since rewriteSince.
	rewrites     int
	rewriteSince time.Time
	// repairs are the last repairs of the target.
	repairs credential.RepairHistory
	// apiFailure is since when the API server has refused what passes ask of it. Zero: it does not.
	apiFailure apiFailure
	// heldUpSince is since when the next exchange has waited for its turn, or for the API server to let it go on. Zero: it does not.
	heldUpSince time.Time
	// sharedTarget is the target if it holds keys of others and is not to be retained: when the object goes, it stays without ours. Empty: it is not so.
	sharedTarget string
	// cleanup is what is left to do about targets of earlier names.
	cleanup cleanup
	// rollouts are what workloads wait for, of those that wait.
	rollouts map[v1alpha1.RolloutRestart]credential.RestartWait
	// lagging is since when the cache has shown the object older than it is. Zero: it does not.
	lagging time.Time
}

// A throttledAttempt is the fingerprint of what the object asked for, that of what was sent, under the process's own salt, and what is reported of it.
type throttledAttempt struct {
	asked   string
	request string
	failure credential.Failure
}

type seenClient struct {
	// version and asked are those of the client Secret and of the intent.
	version, asked string
	// request is the fingerprint of what they come to, under the process's own salt. Empty: the Secret lacks a value.
	request string
	// against is the fingerprint in the record that it was compared with.
	against    string
	difference credential.Difference
	// attempt is request at the last failed attempt.
	attempt string
}

func (m *memory) of(name types.NamespacedName, uid types.UID) *remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.objects == nil {
		m.objects = map[types.NamespacedName]*remembered{}
	}
	mem := m.objects[name]
	if mem == nil || mem.uid != uid {
		mem = &remembered{uid: uid}
		m.objects[name] = mem
	}
	return mem
}

// known is what is remembered of an object. Nil: nothing.
func (m *memory) known(name types.NamespacedName) *remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.objects[name]
}

func (m *memory) forget(name types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
}

// seen is what is known of a target.
func (mem *remembered) seen(name string) (credential.SeenTarget, bool) {
	for _, seen := range mem.targets {
		if seen.Name == name {
			return seen, true
		}
	}
	return credential.SeenTarget{}, false
}

func (mem *remembered) sawTarget(seen credential.SeenTarget) {
	mem.forgetTarget(seen.Name)
	if len(mem.targets) > 8 { // after a few renamings there is nothing to gain from the old ones
		mem.targets = nil
	}
	mem.targets = append(slices.Clip(mem.targets), seen)
}

func (mem *remembered) forgetTarget(name string) {
	mem.targets = slices.DeleteFunc(mem.targets, func(seen credential.SeenTarget) bool { return seen.Name == name })
}
