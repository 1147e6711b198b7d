// SPDX-License-Identifier: Apache-2.0

// Package telemetry has the operator's metrics, and the watchdog of its work queue. It takes plain values: what they follow from is up to the callers.
package telemetry
