// SPDX-License-Identifier: Apache-2.0

// Package telemetry has the operator's metrics and the watchdog of its work queue. It takes plain values; callers decide what they are.
package telemetry
