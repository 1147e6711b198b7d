// SPDX-License-Identifier: Apache-2.0

package egress

import (
	"crypto/x509"
	"fmt"
)

const maxBundles = 32 // a bundle of 64 KiB takes several times as much memory once it is parsed

// rootsOf parses a bundle. The last maxBundles ones are cached.
func (t *Transports) rootsOf(id bundleID, caBundle []byte) (*x509.CertPool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn++
	if known := t.bundles[id]; known != nil {
		known.usedAt = t.turn
		return known.roots, nil
	}
	roots := x509.NewCertPool()
	if err := addCertificates(roots, caBundle); err != nil {
		return nil, err
	}
	if len(t.bundles) >= maxBundles {
		t.forgetBundle()
	}
	if t.bundles == nil {
		t.bundles = map[bundleID]*bundle{}
	}
	t.bundles[id] = &bundle{roots: roots, usedAt: t.turn}
	return roots, nil
}

// forgetBundle drops the least recently used bundle and its pools.
func (t *Transports) forgetBundle() {
	var oldest bundleID
	least := t.turn + 1
	for id, b := range t.bundles {
		if b.usedAt < least {
			oldest, least = id, b.usedAt
		}
	}
	delete(t.bundles, oldest)
	for key := range t.pools {
		if key.bundle == oldest {
			t.drop(key)
		}
	}
}

// TrustAlso adds the PEM certificates of bundle to the system's roots, replacing those of an earlier call. It is for --ca-file. If the bundle cannot be
// read, it returns a *CABundleError and changes nothing.
func (t *Transports) TrustAlso(bundle []byte) error {
	system, err := x509.SystemCertPool()
	if err != nil {
		return fmt.Errorf("read the system's roots: %w", err)
	}
	if err := addCertificates(system, bundle); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.system = system
	for key := range t.pools {
		t.drop(key)
	}
	return nil
}

// systemRoots returns the roots that are trusted without a bundle. Nil: the system's.
func (t *Transports) systemRoots() *x509.CertPool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.system
}
