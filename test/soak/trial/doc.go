// SPDX-License-Identifier: Apache-2.0

// Package trial plays one soak run: many credentials whose tokens live for a minute or so, token endpoints that misbehave, an operator that
// is killed, an API server that goes away, users who edit, delete and rotate; and a checker that reads every target as a consumer would.
//
// What is measured is held against what the contract (docs/design.md) allows, no more and no less:
//
//   - A consumer must never hold an expired or wrong token. A time is excused only if an outage covered the whole lead of that object's token:
//     its endpoint failed, or its retries were waiting as the contract paces them, or the API server was down, or no operator ran, without one
//     stretch of `reaction` free of all that. What a user broke (a target edited or deleted) counts apart, until it is repaired; a repair
//     that takes longer than such a free stretch is late.
//   - Every token beyond the first and those that were due has a cause that the run knows of: a user's change, or a token that was lost to
//     a fault, a kill, a shutdown.
//
// All chance comes from one seed, so that a run's plan can be had again. What happens when is the machine's.
package trial
