// SPDX-License-Identifier: Apache-2.0

// Package examples runs the programs of examples/ through renewals of their token.
package examples
