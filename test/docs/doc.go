// SPDX-License-Identifier: Apache-2.0

// Package docs checks that what the documentation tells its readers to type works.
//
// A comment on the line before each block of commands (a fence with the language sh) says what runs it:
//
// <!-- run -->                     this package, against a real API server without nodes
// <!-- run in the demo -->         this package, in the demo
// <!-- run in the demo: look -->   the same, in the order that docs/runbooks.md needs: names, cause, look, end, fix
// <!-- run by: make demo -->       that target, which CI runs
// <!-- run by: TestCrashAtEachPointCostsAtMostOneToken --> that test
// <!-- needs: an account -->       nothing here can
//
// All blocks must be valid bash. Every YAML block must parse, and the CDPCredentials in it are applied.
package docs
