// SPDX-License-Identifier: Apache-2.0

// Package credential decides what to do about a CDPCredential, and what to report of it. It is pure: no client, no clock, no context, no randomness.
//
// A reconcile in package controllers goes through it like this:
//
//	State    what was observed: the object, its two Secrets, what this process remembers, and the time
//	Plan     what to do, and why                  Decide(State)
//	Result   what came of it                      controllers carry the plan out; Attempt judges the endpoint's answer
//	status   what to report                       NewStatus(State, Plan, Result)
//	requeue  when to reconcile again              RequeueAfter
//
// Files refer to files of their own layer or of those below only, and never in a circle (go run ./hack/filecycles). From the bottom:
//
//   - Values: times, text, fingerprint, versions, policy, failure, cause, intervals, object.
//   - The two Secrets: client_secret, desired_flow and difference; persisted_state and target_*, with what is written, and what was read.
//   - State, with clocks and what it has of a publication and of the gate.
//   - Questions about a State, one a file: due, drift, refresh_request, backoff, attempt_interval, issuance_mode, issuance_count, contest, blocker,
//     consent, ca, republish.
//   - Decisions: plan, prepare, decide. Verification, restarts and pods are decided on their own.
//   - What came of it: result, attempt, exchange_failure, retry_delay, write_refusal, warning, events, and status_* with a file for each part of status.
//   - What a process remembers: object_cache, memory, recall, client_comparison, stale_target, own_writes, terminating_namespaces.
package credential
