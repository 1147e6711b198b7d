// SPDX-License-Identifier: Apache-2.0

// Package upgrade replaces one version of the operator by another while it holds tokens, and back, and asserts that nobody notices: no
// token endpoint is asked and nothing is written.
package upgrade
