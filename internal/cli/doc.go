// SPDX-License-Identifier: Apache-2.0

// Package cli is `kubectl cdpcred`. It is a program of its own: the operator does not import it, and it decides nothing that the operator decides, but
// asks the same packages. A command gathers what it needs from the API server, a pure function makes a report of that, and another one prints it. Nothing
// that it prints can hold a value of a Secret, a token or a hash of either.
package cli
