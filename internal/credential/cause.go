// SPDX-License-Identifier: Apache-2.0

package credential

// cause is why a token is issued. It is kept with the token.
type cause string

// Why a token is issued. The zero cause is none.
const (
	CauseMissing   cause = "Missing"
	causeReplaced  cause = "Replaced"
	CauseRenewal   cause = "Renewal"
	CauseChanged   cause = "Changed"
	CauseRequested cause = "Requested"
	CauseRejected  cause = "Rejected"
)
