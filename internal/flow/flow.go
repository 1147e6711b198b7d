// SPDX-License-Identifier: Apache-2.0

// Package flow describes how a token is got, as a value: what is sent where, which values of the client Secret that takes, and how the answer is
// read. Each typed provider has one file that makes a Flow of its API type. Nothing here sends anything.
package flow

import "cmp"

// Flow is how a token is got. Whoever needs to know what a provider can or needs asks the Flow, never for the provider's name. The zero Flow gets
// no token.
type Flow struct {
	// Provider is the member of spec.provider, as status, metrics and messages name it.
	Provider string
	// Kind is part of the fingerprint: it tells the flows of one provider apart.
	Kind string
	// Address is the endpoint's address as the user gave it or the vendor has it. Empty: nothing is exchanged.
	Address string
	// AddressField is the field of the spec that says so.
	AddressField string
	// Hosts are the vendor's own hosts, to which a client Secret may go without saying so.
	Hosts []string
	// Keys are the values that the flow needs of the client Secret, in the order in which a missing one is reported.
	Keys []Key

	// Issue gets a new token. Nil: nothing is exchanged.
	Issue *Step
	// Update changes a token that is in use, if only Settings that are Updatable have changed. Nil: there is no such thing.
	Update *Step
	// Static is the token where nothing is exchanged. It never expires.
	Static *BasicCredentials

	// APIHeaders are the headers that a call of the vendor's API needs beside the one that carries the token.
	APIHeaders []Header
	// TokenHeader is the header that carries the bare token. Empty: Authorization, with the token's type before it.
	TokenHeader string

	// Deprecated says why the vendor no longer wants this flow, and what to use instead. Empty: it is not deprecated.
	Deprecated string
	Advice     Advice

	// Settings are what the fingerprint covers beside Kind, Address and the values of the client Secret. Of fills in all that the user says for a
	// provider that leaves them out; one with an Update needs them, to say which of them that changes.
	Settings []Setting
}

// Exchanges reports whether an endpoint is asked for a token. So does the zero Flow, of a provider that this version does not know: what its object
// holds is a token all the same, unless it holds BasicCredentials.
func (f *Flow) Exchanges() bool { return f.Static == nil }

// Asserts reports whether the flow sends a JWT that we sign: whether it is accepted depends on the clocks of both sides.
func (f *Flow) Asserts() bool {
	if f.Issue == nil {
		return false
	}
	for _, parameter := range f.Issue.Parameters {
		if parameter.JWT != nil {
			return true
		}
	}
	return f.Issue.ClientAuth == PrivateKeyJWT
}

// Scopes are those that are asked for.
func (f *Flow) Scopes() []string {
	if f.Issue == nil {
		return nil
	}
	return f.Issue.Scopes
}

// ClientIDKey is the Field of the key that says who the client is.
func (f *Flow) ClientIDKey() string {
	if f.Static != nil {
		return f.Static.Username
	}
	return clientID.Field
}

// UsesDefaultKeys reports whether every value is under its default key.
func (f *Flow) UsesDefaultKeys() bool {
	for _, key := range f.Keys {
		if key.Name != key.Default {
			return false
		}
	}
	return true
}

// KeyName is the client Secret's key for a Field. A Field that the flow does not need is given back as it is.
func (f *Flow) KeyName(field string) string {
	for _, key := range f.Keys {
		if key.Field == field {
			return key.Name
		}
	}
	return field
}

// CarrierHeader names the header that carries the token.
func (f *Flow) CarrierHeader() string { return cmp.Or(f.TokenHeader, "Authorization") }

// BasicCredentials are two values of the client Secret, by the Fields of their keys, as HTTP Basic credentials (RFC 7617).
type BasicCredentials struct{ Username, Password string }

// Advice is what a provider's users may do about a failure, beyond what is true for every provider. Empty: nothing more.
type Advice struct {
	// Rejected is about a 400, 401 or 403, NoExpiry about a token without a stated lifetime, AbsurdExpiry about one with an absurd lifetime.
	Rejected, NoExpiry, AbsurdExpiry string
}
