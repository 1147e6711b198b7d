// SPDX-License-Identifier: Apache-2.0

// Package cli tests `kubectl cdpcred` as a person on call uses it: against a real API server, with the real manager at work and stand-ins of the token
// endpoints. Whatever the commands print is searched for secrets.
package cli
