// SPDX-License-Identifier: Apache-2.0

package credential

// What a single exchange outside of a reconcile needs, which `kubectl cdpcred try` makes.

// ConsentToExchange returns why the client Secret, which must have been read, may not be used as the object wants to use it. Nil: it may.
func ConsentToExchange(s *State) *Failure { return liveConsent(s) }

// FailureOfExchange returns what the operator would report of an error that ended an exchange. Nil: the error is not about the exchange.
func FailureOfExchange(s *State, err error) *Failure { return failureOf(s, err, 0) }
