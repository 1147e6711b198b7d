// SPDX-License-Identifier: Apache-2.0

// Package cli tests `kubectl cdpcred` as an on-call engineer uses it: against a real API server, with the real manager and stand-ins of the token
// endpoints. The output of all commands is searched for secrets.
package cli
