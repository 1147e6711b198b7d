// SPDX-License-Identifier: Apache-2.0

// Package upgrade replaces one version of the operator by another, and back, while targets have valid tokens. No token endpoint may be called and
// nothing may be written.
package upgrade
