// SPDX-License-Identifier: Apache-2.0

// Package slimcache keeps the operator's caches small: transforms that drop what no pass reads, one copy of what many objects have in common, and
// indexes that share their sets. Nobody writes to what a cache holds, so copies may be shared.
package slimcache
