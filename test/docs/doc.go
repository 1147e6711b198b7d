// SPDX-License-Identifier: Apache-2.0

// Package docs tries what the documentation tells its readers to type.
//
// Every block of commands (a fence with the language sh) says in a comment on the line before it who tries it:
//
//	<!-- run -->                     this package does, against a real API server without nodes
//	<!-- run in the demo -->         this package does, with the demo that runs beside it
//	<!-- run by: make demo -->       that target, which CI runs
//	<!-- run by: TestCrashAtEachPointCostsAtMostOneToken --> that test
//	<!-- needs: an account -->       nobody can here
//
// All of them have to be valid bash. Every YAML block has to parse, and the CDPCredentials in it are applied.
package docs
