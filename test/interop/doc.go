// SPDX-License-Identifier: Apache-2.0

// Package interop tests internal/exchange against third-party authorization servers. It is a module of its own, so that nobody who imports the
// operator inherits their dependencies.
package interop
