// SPDX-License-Identifier: Apache-2.0

// Package trial runs one soak: many credentials whose tokens live for about a minute, token endpoints that misbehave, an operator that is killed, an
// API server that is stopped, users who edit, delete and rotate; and a checker that reads every target as an application would.
//
// The result is compared with exactly what the contract (docs/design.md) allows:
//
//   - No consumer may ever have an expired or wrong token. A period is excused only if an outage covered the whole lead of that object's token: its
//     endpoint failed, or its retries were waiting as the contract requires, or the API server was down, or no operator ran, without a period of
//     `reaction` free of all that. What a user broke (a target edited or deleted) counts separately, until it is repaired; a repair that takes longer
//     than until the end of such a free period is late.
//   - Every token beyond the first one and those that were due has a known reason: a user's change, or a token that was lost because of a fault, a kill
//     or a shutdown.
//
// One seed decides everything random, so a run's plan can be repeated. Its timing depends on the machine.
package trial
