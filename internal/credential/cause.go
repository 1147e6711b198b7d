// SPDX-License-Identifier: Apache-2.0

package credential

// cause is why a token is issued. It is kept with the token.
type cause string

// Why a token is issued. The zero cause is none.
const (
	// CauseMissing: the target does not exist, or is not ours.
	CauseMissing cause = "Missing"
	// causeReplaced: the target holds another token than we wrote, or none.
	causeReplaced cause = "Replaced"
	// CauseRenewal: the current token is about to expire.
	CauseRenewal cause = "Renewal"
	// CauseChanged: the spec or the client Secret changed.
	CauseChanged cause = "Changed"
	// CauseRequested: a user requested it.
	CauseRequested cause = "Requested"
	// CauseRejected: the API refused the current token.
	CauseRejected cause = "Rejected"
)
