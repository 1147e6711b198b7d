// SPDX-License-Identifier: Apache-2.0

// Package interop tries internal/exchange against authorization servers that others have written. It is a module of its own, so that
// nobody who imports the operator inherits their dependencies.
package interop
