// SPDX-License-Identifier: Apache-2.0

// Package simulation runs the operator's own code, from the event handlers of its watches to the gate, in a simulated world that a seed decides:
// clocks, an API server with lagging informer caches, vendors that misbehave, users, and processes that are killed between any two requests. Its tests
// check what must hold in every such world.
//
// # Plans, flips and shrinking
//
// A seed makes a plan (plan_test.go): objects, assumptions that do not hold in this world, and what happens when. TestSeeds counts in how many worlds
// each assumption was flipped. A world that breaks a promise is shrunk (shrink_test.go) to the objects, flips and events that are needed for that. The
// line that is printed with it runs the shrunk world again and prints what happens:
//
//	go test ./test/simulation -run TestSeeds -simulation.seed=N -simulation.keep=OBJECTS/FLIPS/EVENTS
//
// `make simulate SEEDS=100000` runs more seeds; -simulation.flip=NAME,NAME flips only these assumptions. `make mutate-simulation` plants bugs and checks
// that the simulation finds them.
//
// # Pairs
//
// TestPairs runs pairs of worlds that differ only in the values of Secrets, all of them valid. The same happens in both, with the same random
// numbers, and vendors accept every client. An observer (observer_test.go) notes what a user without access to Secrets sees: CDPCredentials with
// status, events, metrics, the log, the workload that is restarted, and which Secret was written when. The values (pairvalues_test.go) are texts up
// to the maximum length, private keys, encrypted or not, and CAs; optional ones may be missing in only one of the worlds. Both observers must have
// seen the same at the same time. Random values (data revisions, names of processes) are numbered in the order in which they appear. Whether the data
// of a target changed is not compared: docs/security.md says what that reveals. The judge is off in these worlds.
// TestPairHistoriesDifferInNothingVisible repeats leaks that were found, and make mutate-simulation plants three leaks, each of which must be found
// within 500 pairs.
//
// # States
//
// TestStates is for refactorings (make record-states before, make compare-states after). It records what reconciles observe in the worlds of TestSeeds
// (staterecord_test.go: the object, its Secrets, the clocks). A new process reconciles each state, once at that moment and once when it wants to be
// requeued, with an endpoint and an API server that answer as the state says (statereplay_test.go). Its visible effects are compared: exchanges,
// verifications, writes and their results, events, and requeue times. Reads, the number of reconciles and the operator's own types are not compared. If
// only messages differ, they are listed and the test passes. The random source always returns the same number, so salts and fingerprints stay the same
// if they are computed in the same way.
//
// # Assumptions
//
// Vendors (assume_vendors_test.go):
//
//   - vendor-trouble: a vendor answers with 5xx, 429, 401, garbage or dead tokens, redirects, hangs, resets or refuses connections, or its name does not
//     resolve, for a while
//   - vendor-troubles-one-client: the same for one client, while the others are served
//   - vendor-long-retry-after: a Retry-After is up to an hour
//   - vendor-caches, vendor-same-until-dead: a token is returned again, until shortly before it expires or until it has expired
//   - vendor-one-active, vendor-few-active: a new token revokes the previous one, or the second to fourth before it
//   - vendor-lies: expires_in is too long or too short
//   - vendor-ends-early: the API rejects a token before it expires
//   - vendor-no-date, vendor-clock-off: responses have no Date; a vendor's clock is wrong
//   - vendor-strays: one response is 401, 403 or 503, whoever calls
//   - vendor-two-nodes: for up to two minutes one of two nodes of the API does not know a new token
//
// The API server (assume_apiserver_test.go, assume_deletion_test.go, assume_contest_test.go):
//
//   - api-flaky, api-down: requests fail, responses are lost, requests take seconds
//   - api-refuses-writes, api-refuses-deletes, api-refuses-reads: admission, a quota, a missing right, priority and fairness
//   - api-late-reads: what was read has changed when the response arrives
//   - api-silent-watch, api-slow-watch: a watch is stuck for minutes; a cache lags by two seconds
//   - api-finalizer: another controller's finalizer keeps a deleted object
//   - api-namespace-ends: a namespace is deleted, object by object, and created again
//   - api-strips-annotations: a mutating webhook removes our annotations
//   - api-token-is-reset: somebody overwrites the token every few seconds
//
// Processes and clocks (assume_process_test.go):
//
//   - leader-killed, leader-killed-midway, leader-stops, leader-sleeps: the leader is killed, also at any point of a reconcile; paused as by SIGSTOP, or
//     together with its machine
//   - stale-start: a process starts with a list that is up to minutes old
//   - clock-off, clock-jumps, clocks-differ: wrong from the beginning; adjusted by 5 s, 50 min or 1 h at any moment; 35 min apart between replicas
//
// People (assume_people_test.go, users_test.go): many-tenants has up to nine objects in four namespaces with the same vendor. In every world users do what
// users_test.go lists. Each object has a pod that sees a changed Secret 60 to 90 s later (deadlines_test.go). A pod that reads it only at start has what
// the Secret had then, so it is covered by what is required of the Secret.
//
// # What the judge requires
//
// All times are true times, whatever the clocks show.
//
//   - Times (deadlines_test.go): a token is renewed by 20 s after its lead begins; a delayed renewal is reported within 80 s of that time; no pod reads an
//     expired token, if the lead is 20 s longer than it takes to see a change; no target has an expired token, except for 2 s if the vendor returns no
//     other one before; Ready is False 2 s after expiry.
//     The first and third requirements are suspended until 100 s after anything was in the object's way, or a client of the same vendor was in trouble;
//     the fourth only by what is in the object's own way: that is isolation. It is not promised where leads are below 90 s or most clients are in trouble.
//   - Exchanges (asked_test.go): each has a reason; 10 s between two tokens of an object; failures are followed by a backoff, limited by the remaining
//     lifetime; maxPerDay holds; at most one in a namespace that is being deleted, which finds that out; a vendor that repeats a token is not called before
//     it expires (repeats_test.go); what others keep undoing is not restored more often than every 20 s (assume_contest_test.go).
//   - Writes (wrote_test.go): nothing foreign is touched, no write is a no-op, a target is complete, and its expires-at is at most 2 s late.
//   - Status (ended_test.go): it agrees with the target after a reconcile during which nothing else changed.
//   - History (calm_test.go): once all faults have ended, the world becomes as one in which everything was just applied, and then only renewals happen,
//     at the promised price.
//
// isolation_test.go, pacing_test.go, told_test.go, herd_test.go and found_test.go have scenarios of their own.
package simulation
