// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// Limits of Keys. An open key takes about 4 KiB, a queued one up to 32 KiB.
const (
	maxOpened          = 4096
	maxOpenedNamespace = 256
	maxQueued          = 256
	maxQueuedNamespace = 32
)

// How long a caller waits for a key, and when it should retry if the key was not open by then.
const (
	openPatience   = 100 * time.Millisecond
	retryQueued    = time.Second
	retryQueueFull = 5 * time.Second
)

// KeyWaitError means that a private key is not open yet. Nothing was sent; retry the same request after For.
type KeyWaitError struct{ For time.Duration }

func (e *KeyWaitError) Error() string { return "the private key is waiting to be opened" }

// Keys opens private keys. The author of an encrypted key chooses how much memory and time it takes to open, within limits: so the process opens
// one at a time, and namespaces take turns. Open keys are cached. Nil Keys open each key at once. Safe for concurrent use.
type Keys struct {
	salt [sha256.Size]byte

	mu     sync.Mutex
	opened map[keyID]*openedKey
	turn   uint64
	queue  []*queuedKey
	// busy reports whether a goroutine works on the queue. spent is the work done for each namespace since the queue was last empty.
	busy  bool
	spent map[string]int
}

// keyID is a fingerprint of a key and its passphrase, with a salt that exists only in this process.
type keyID [sha256.Size]byte

type openedKey struct {
	namespace string
	key       signingKey
	err       error
	usedAt    uint64
}

type queuedKey struct {
	id        keyID
	namespace string
	key       encryptedKey
	done      chan struct{}
	opened    *openedKey
}

// NewKeys returns Keys with a salt read from rand.
func NewKeys(rand io.Reader) (*Keys, error) {
	k := &Keys{opened: map[keyID]*openedKey{}, spent: map[string]int{}}
	if _, err := io.ReadFull(rand, k.salt[:]); err != nil {
		return nil, fmt.Errorf("read random numbers: %w", err)
	}
	return k, nil
}

// open returns the private key of a client in namespace. The error is an *Error of kind InvalidKey, or a *KeyWaitError.
func (k *Keys) open(ctx context.Context, namespace string, v Values) (signingKey, error) {
	if k == nil {
		return v.signingKey()
	}
	id := k.id(v)
	if known := k.find(id); known != nil {
		return known.key, known.err
	}
	block, encrypted, err := v.keyBlock()
	if err != nil || encrypted.work == 0 {
		key, err := parsed(block, err)
		k.remember(id, &openedKey{namespace: namespace, key: key, err: err})
		return key, err
	}
	queued, isNew := k.enqueue(id, namespace, encrypted)
	if queued == nil {
		return signingKey{}, &KeyWaitError{For: retryQueueFull}
	}
	if !isNew {
		return signingKey{}, &KeyWaitError{For: retryQueued}
	}
	// Most keys open in less time than another reconcile takes.
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	select {
	case <-queued.done:
		return queued.opened.key, queued.opened.err
	case <-ctx.Done():
		return signingKey{}, &KeyWaitError{For: retryQueued}
	}
}

func (k *Keys) id(v Values) keyID {
	mac := hmac.New(sha256.New, k.salt[:])
	_, _ = fmt.Fprintf(mac, "%d:", len(v[flow.PrivateKey])) // where the key ends
	_, _ = io.WriteString(mac, string(v[flow.PrivateKey])+string(v[flow.Passphrase]))
	return keyID(mac.Sum(nil))
}

func (k *Keys) find(id keyID) *openedKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	known := k.opened[id]
	if known != nil {
		k.turn++
		known.usedAt = k.turn
	}
	return known
}

func (k *Keys) remember(id keyID, o *openedKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.add(id, o)
}

// add caches a key. If the namespace or the cache has too many, its least recently used key is dropped.
func (k *Keys) add(id keyID, o *openedKey) {
	k.turn++
	o.usedAt = k.turn
	k.opened[id] = o
	var oldest, oldestOfAll keyID
	mine, least, leastOfAll := 0, k.turn, k.turn
	for id, other := range k.opened {
		if other.usedAt < leastOfAll {
			oldestOfAll, leastOfAll = id, other.usedAt
		}
		if other.namespace != o.namespace {
			continue
		}
		mine++
		if other.usedAt < least {
			oldest, least = id, other.usedAt
		}
	}
	switch {
	case mine > maxOpenedNamespace:
		delete(k.opened, oldest)
	case len(k.opened) > maxOpened:
		delete(k.opened, oldestOfAll)
	}
}

// enqueue returns the queued key, and whether it is new. Nil: the queue is full.
func (k *Keys) enqueue(id keyID, namespace string, key encryptedKey) (queued *queuedKey, isNew bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	mine := 0
	for _, other := range k.queue {
		if other.id == id {
			return other, false
		}
		if other.namespace == namespace {
			mine++
		}
	}
	if mine >= maxQueuedNamespace || len(k.queue) >= maxQueued {
		return nil, false
	}
	queued = &queuedKey{id: id, namespace: namespace, key: key, done: make(chan struct{})}
	k.queue = append(k.queue, queued)
	if !k.busy {
		k.busy = true
		go k.work()
	}
	return queued, true
}

// work opens queued keys until the queue is empty.
func (k *Keys) work() {
	for {
		k.mu.Lock()
		next := k.next()
		if next == nil {
			k.busy = false
			clear(k.spent)
			k.mu.Unlock()
			return
		}
		k.mu.Unlock()
		key, err := next.key.open()
		next.opened = &openedKey{namespace: next.namespace, key: key, err: err}
		k.mu.Lock()
		k.leave(next)
		k.mu.Unlock()
		close(next.done)
	}
}

// next is the cheapest key of the namespace for which the least work was done.
func (k *Keys) next() *queuedKey {
	var best *queuedKey
	for _, queued := range k.queue {
		if best == nil || k.before(queued, best) {
			best = queued
		}
	}
	return best
}

func (k *Keys) before(a, b *queuedKey) bool {
	if spentA, spentB := k.spent[a.namespace], k.spent[b.namespace]; spentA != spentB {
		return spentA < spentB
	}
	return a.key.work < b.key.work
}

// leave moves an opened key from the queue to the cache.
func (k *Keys) leave(done *queuedKey) {
	for i, queued := range k.queue {
		if queued == done {
			k.queue = append(k.queue[:i], k.queue[i+1:]...)
			break
		}
	}
	k.spent[done.namespace] += done.key.work
	k.add(done.id, done.opened)
}
