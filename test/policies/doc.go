// SPDX-License-Identifier: Apache-2.0

// Package policies tests the admission policies of config/policies with a real API server.
package policies
