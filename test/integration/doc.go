// SPDX-License-Identifier: Apache-2.0

// Package integration tests the operator as users see it: with a real API server, strict stand-ins of the token endpoints, and the real manager with
// exactly the rights of config/rbac. At the end it searches everything that the run has left for secrets.
package integration
