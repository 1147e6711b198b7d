// SPDX-License-Identifier: Apache-2.0

// Package watch tests the tools with which people watch the operator: alerts and dashboard, with a real Prometheus that scrapes a real operator, the
// output of kubectl describe, and docs/operations.md.
package watch
