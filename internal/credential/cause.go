// SPDX-License-Identifier: Apache-2.0

package credential

// Cause is why a token is issued. It is kept with the token.
type Cause string

// Why a token is issued. The zero cause is none.
const (
	// CauseMissing: the target does not exist, or is not ours.
	CauseMissing Cause = "Missing"
	// CauseReplaced: the target holds another token than we wrote, or none.
	CauseReplaced Cause = "Replaced"
	// CauseRenewal: the current token is about to expire.
	CauseRenewal Cause = "Renewal"
	// CauseChanged: the spec or the client Secret changed.
	CauseChanged Cause = "Changed"
	// CauseRequested: a user requested it.
	CauseRequested Cause = "Requested"
	// CauseRejected: the API refused the current token.
	CauseRejected Cause = "Rejected"
)
