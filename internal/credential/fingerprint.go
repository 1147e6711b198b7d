// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// fingerprint returns an HMAC of the pieces, keyed with salt. Each piece is preceded by its length, so no two different lists give the same input.
func fingerprint(salt []byte, pieces ...[]byte) string {
	mac := hmac.New(sha256.New, salt)
	for _, piece := range pieces {
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(piece))))
		mac.Write(piece)
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// SortedKeys returns the keys of m in order.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
