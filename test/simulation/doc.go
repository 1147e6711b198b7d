// SPDX-License-Identifier: Apache-2.0

// Package simulation runs the operator's own code, from the queue's handlers to the gate of the endpoints, in a world that is simulated and
// decided by one seed: clocks, an API server with caches that lag, vendors that misbehave, users, and processes that are killed between any two
// requests. Its tests say what holds in every such world.
//
// # Plans, flips and shrinking
//
// A seed makes a plan (plan_test.go): objects, assumptions that do not hold in this world, and what happens when. TestSeeds counts in how many worlds
// each assumption was flipped. A world that breaks a promise is shrunk (shrink_test.go) to the objects, flips and events that it takes, and the line
// that is printed with it runs that again and tells its story:
//
//	go test ./test/simulation -run TestSeeds -simulation.seed=N -simulation.keep=OBJECTS/FLIPS/EVENTS
//
// More seeds are run by make simulate SEEDS=100000, worlds that flip nothing but some assumptions by -simulation.flip=NAME,NAME. That it finds bugs is
// shown by make mutate-simulation, which puts some in.
//
// # Pairs
//
// TestPairs is of another kind: it lives pairs of worlds that differ only in the values of Secrets, all good ones, in which the same is done by the same
// dice, and in which vendors take every client. An observer (observer_test.go) notes what somebody sees who may not read Secrets: CDPCredentials with
// their status, events, metrics, the log, the workload that is restarted, and which Secret was written when. The values (pairvalues_test.go) are texts up to
// the greatest length, private keys, encrypted and not, and CAs; optional ones may be missing in one world only. Both observers must have seen the same at the same
// time. What is drawn (data revisions, names of processes) is named in the order in which it appears. Whether a target's data changed is not compared:
// docs/security.md says what that tells. The judge has no say in these worlds. TestPairHistoriesDifferInNothingVisible has the ways to learn something that were found, and
// make mutate-simulation puts three leaks in, each of which is to be found within 500 pairs.
//
// # States
//
// TestStates is for those who rearrange the code (make record-states before, make compare-states after). It takes what passes observe in the worlds of
// TestSeeds (staterecord_test.go: the object, its Secrets, the clocks) and has a new process look at it, once at that moment and once when it wants to be
// back, by an endpoint and an API server that answer as the state says (statereplay_test.go). What it does that can be seen from outside is compared:
// exchanges, verifications, writes and what they make of the object, events, and when it wants to be back. Reads and the number of passes are not, nor
// anything of the operator's own types. Where only messages differ, the pairs of messages are listed, and it is no failure. Chance always gives the same
// number, so salts and fingerprints are the same if they are made in the same way.
//
// # Assumptions
//
// Vendors (assume_vendors_test.go):
//
//   - vendor-trouble: a vendor answers with 5xx, 429, 401, garbage or dead tokens, redirects, hangs, resets, refuses connections, or has no name, for a while
//   - vendor-troubles-one-client: the same for one client, while its neighbours are served
//   - vendor-long-retry-after: a Retry-After is up to an hour
//   - vendor-caches, vendor-same-until-dead: a token is handed out again, until shortly before its end or until it is dead
//   - vendor-one-active, vendor-few-active: a new token kills the one before, or the second to fourth before
//   - vendor-lies: expires_in is too long or too short
//   - vendor-ends-early: the API refuses a token before its end
//   - vendor-no-date, vendor-clock-off: answers have no Date; a vendor's clock is wrong
//   - vendor-strays: one answer is 401, 403 or 503, whoever asks
//   - vendor-two-nodes: for up to two minutes one of two nodes of the API does not know a new token
//
// The API server (assume_apiserver_test.go, assume_deletion_test.go, assume_contest_test.go):
//
//   - api-flaky, api-down: requests fail, answers are lost, take seconds
//   - api-refuses-writes, api-refuses-deletes, api-refuses-reads: admission, a quota, a missing right, priority and fairness
//   - api-late-reads: what was read has changed when the answer arrives
//   - api-silent-watch, api-slow-watch: a watch says nothing for minutes; a cache is two seconds behind
//   - api-finalizer: somebody's finalizer keeps an object that is deleted
//   - api-namespace-ends: a namespace is deleted, goes thing by thing, and is made anew
//   - api-strips-annotations: a mutating webhook takes our annotations off
//   - api-token-is-reset: somebody writes the token's key every few seconds
//
// Processes and clocks (assume_process_test.go):
//
//   - leader-killed, leader-killed-midway, leader-stops, leader-sleeps: at any point of a pass; stopped as by SIGSTOP, or with its machine
//   - stale-start: a process begins with a list of up to minutes ago
//   - clock-off, clock-jumps, clocks-differ: wrong from the beginning; set by 5 s, 50 min or 1 h at any moment; 35 min apart between replicas
//
// People (assume_people_test.go, users_test.go): many-tenants has up to nine objects in four namespaces at one vendor. Users do what users_test.go has, in
// every world. Each object has a pod that sees a changed Secret 60 to 90 s later (deadlines_test.go). A pod that reads it only once holds what the Secret
// held when it began, so that what is said of the Secret is said of it, too.
//
// # What the judge says
//
// All of it in true time, whatever the clocks show.
//
//   - Times (deadlines_test.go): a token is renewed within its lead, less 20 s; what is held up says so within 80 s of the last moment; a pod never holds a
//     token beyond its end, if the lead is 20 s longer than it takes to see a change; no token is held beyond its end, but for 2 s where the vendor
//     gives no other before; Ready is False 2 s after the end.
//     The first and the third are excused for 100 s after anything that was in the object's own way, and while a neighbour at the vendor is in trouble; the
//     fourth only by the object's own: that is isolation. Where leads are below 90 s, or more clients are in trouble than are not, it is not promised.
//   - Exchanges (asked_test.go): each has a reason; 10 s between two tokens of an object; failures are waited out, within what the token has left; maxPerDay
//     holds; none in a namespace that ends but the one that finds out; a vendor that repeats a token is not asked before its end (repeats_test.go); what others
//     keep undoing is not restored more often than every 20 s (assume_contest_test.go).
//   - Writes (wrote_test.go): nothing foreign is touched, nothing is written as it was, a target is whole, and its expires-at at most 2 s late.
//   - Status (ended_test.go): it agrees with the target after a pass that nothing came in between of.
//   - History (calm_test.go): when all is well again the world becomes as one in which everything was just applied, and then only renewals happen, at
//     their price.
//
// isolation_test.go, pacing_test.go, told_test.go, herd_test.go and found_test.go tell single histories.
package simulation
