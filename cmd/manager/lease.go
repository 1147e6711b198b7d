// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
)

// leaseName is the name of the leader election's Lease. Replicas with the same objects to work on have the same one. Those with other
// objects, by selector or by namespaces, have another one: if two shards shared a Lease, one would silently do nothing.
func leaseName(selector labels.Selector, namespaces []string) string {
	const all = "cdp-credential-operator"
	if selector.Empty() && len(namespaces) == 0 {
		return all
	}
	sum := sha256.Sum256([]byte(selector.String() + "\n" + strings.Join(slices.Sorted(slices.Values(namespaces)), ",")))
	return all + "-" + hex.EncodeToString(sum[:4])
}
