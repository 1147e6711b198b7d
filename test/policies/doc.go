// SPDX-License-Identifier: Apache-2.0

// Package policies tries the admission policies of config/policies against a real API server.
package policies
