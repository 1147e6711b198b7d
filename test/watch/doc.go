// SPDX-License-Identifier: Apache-2.0

// Package watch tests what people watch the operator with: the alerts and the dashboard, on a real Prometheus that scrapes a real operator,
// what kubectl describe tells, and docs/operations.md.
package watch
