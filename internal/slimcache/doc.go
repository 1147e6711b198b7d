// SPDX-License-Identifier: Apache-2.0

// Package slimcache keeps the operator's caches small: transforms that drop what no reconcile reads, one copy of what many objects share, and
// indexes with few buckets. Cached objects are read-only, so they may share memory.
package slimcache
