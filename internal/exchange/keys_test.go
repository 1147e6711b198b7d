// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/youmark/pkcs8"

	"github.com/cdpcredentials/cdp-credential-operator/internal/flow"
)

// lockedKey is a key that takes so many iterations to open with the passphrase open-sesame.
func lockedKey(t *testing.T, iterations int) Values {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := pkcs8.MarshalPrivateKey(private, []byte("open-sesame"), &pkcs8.Opts{
		Cipher: pkcs8.AES256CBC, KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: iterations, HMACHash: crypto.SHA256},
	})
	if err != nil {
		t.Fatal(err)
	}
	return Values{flow.PrivateKey: Secret(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})), flow.Passphrase: "open-sesame"}
}

func newKeys(t *testing.T) *Keys {
	t.Helper()
	keys, err := NewKeys(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// stop keeps what is queued waiting.
func (k *Keys) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.busy = true
}

// TestNamespacesTakeTurns has the queue worked off by hand.
func TestNamespacesTakeTurns(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	keys.stop()
	for i, queued := range []struct {
		namespace string
		work      int
	}{{"bad", 900}, {"bad", 1000}, {"bad", 800}, {"good", 2000}, {"good", 20}, {"new", 10}} {
		if _, isNew := keys.enqueue(keyID{byte(i)}, queued.namespace, encryptedKey{work: queued.work}); !isNew {
			t.Fatal("was there already")
		}
	}
	var order []string
	for queued := keys.next(); queued != nil; queued = keys.next() {
		order = append(order, fmt.Sprintf("%s %d", queued.namespace, queued.key.work))
		queued.opened = &openedKey{namespace: queued.namespace}
		keys.leave(queued)
	}
	want := "[new 10 good 20 bad 800 good 2000 bad 900 bad 1000]"
	if got := fmt.Sprint(order); got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

// TestOpenKeysDoNotWait has a key opened, and then others before which it would have to wait.
func TestOpenKeysDoNotWait(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	client := lockedKey(t, 1000)
	opened, err := keys.open(t.Context(), "good", client)
	for wait := new(KeyWaitError); errors.As(err, &wait); { // a slow machine
		time.Sleep(10 * time.Millisecond)
		opened, err = keys.open(t.Context(), "good", client)
	}
	if err != nil {
		t.Fatal(err)
	}
	keys.stop()
	for i := range 3 {
		if _, isNew := keys.enqueue(keyID{byte(i)}, "good", encryptedKey{work: 1}); !isNew {
			t.Fatal("was there already")
		}
	}
	again, err := keys.open(t.Context(), "good", client)
	if err != nil || again.private != opened.private {
		t.Errorf("not the same key: %v", err)
	}
	var wait *KeyWaitError
	if _, err := keys.open(t.Context(), "good", lockedKey(t, 1000)); !errors.As(err, &wait) || wait.For != time.Second {
		t.Errorf("another key does not wait: %v", err)
	}
	client[flow.Passphrase] = "close-sesame"
	if _, err := keys.open(t.Context(), "good", client); !errors.As(err, &wait) {
		t.Errorf("with another passphrase it is another key: %v", err)
	}
}

// TestRefusedKeysDoNotWait: what is too dear is refused before any work, and a wrong passphrase costs it once.
func TestRefusedKeysDoNotWait(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	wrong := lockedKey(t, 1000)
	wrong[flow.Passphrase] = "close-sesame"
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := keys.open(ctx, "ns", wrong)
		cancel()
		for wait := new(KeyWaitError); errors.As(err, &wait); {
			time.Sleep(10 * time.Millisecond)
			_, err = keys.open(t.Context(), "ns", wrong)
		}
		if failed, ok := errors.AsType[*Error](err); !ok || failed.Kind != InvalidKey || failed.Field != "privateKeyPassphrase" {
			t.Errorf("%v", err)
		}
		keys.stop() // the second time nobody opens it
	}
	dear := lockedKey(t, maxIterations+1)
	if _, err := keys.open(t.Context(), "ns", dear); !errors.As(err, new(*Error)) {
		t.Errorf("%v", err)
	}
}

// TestKeysAreBounded: neither the queue nor what is remembered grows with what tenants make.
func TestKeysAreBounded(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	keys.stop()
	place := func(namespace, i int) bool {
		queued, _ := keys.enqueue(keyID{byte(namespace), byte(i), byte(i >> 8)}, fmt.Sprint(namespace), encryptedKey{work: 1})
		return queued != nil
	}
	for i := range maxQueuedNamespace {
		if !place(0, i) {
			t.Fatalf("no place for key %d", i)
		}
	}
	if place(0, maxQueuedNamespace) {
		t.Error("a namespace has more than its share of the queue")
	}
	if !place(1, 0) {
		t.Error("no place for another namespace")
	}
	for i := range 2 * maxOpenedNamespace {
		keys.remember(keyID{1, byte(i), byte(i >> 8)}, &openedKey{namespace: "bad"})
		if i == 0 {
			keys.remember(keyID{2}, &openedKey{namespace: "good"})
		}
	}
	if len(keys.opened) != maxOpenedNamespace+1 || keys.find(keyID{2}) == nil {
		t.Errorf("%d keys are remembered, and not that of another namespace", len(keys.opened))
	}
}
