// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// leaseName returns the name of the Lease for leader election. Replicas that serve the same objects share it. Replicas that serve others, by selector
// or namespaces, use another one: if two shards shared a Lease, one would silently do nothing.
func leaseName(selector labels.Selector, namespaces []string) string {
	const all = "cdp-credential-operator"
	if selector.Empty() && len(namespaces) == 0 {
		return all
	}
	sum := sha256.Sum256([]byte(selector.String() + "\n" + strings.Join(slices.Sorted(slices.Values(namespaces)), ",")))
	return all + "-" + hex.EncodeToString(sum[:4])
}
