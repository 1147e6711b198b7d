// SPDX-License-Identifier: Apache-2.0

// Package flow describes how to get a token, as a value: what is sent where, which values of the client Secret it needs, and how to read the
// answer. Each typed provider has one file that turns its API type into a Flow. Nothing here sends anything.
package flow

import "cmp"

// Flow describes how to get a token. Code that depends on what a provider needs or supports reads the Flow, never the provider's name. The zero
// Flow gets no token.
type Flow struct {
	// Provider is the member of spec.provider, as status, metrics and messages name it.
	Provider string
	// Kind distinguishes the flows of one provider. It is part of the fingerprint.
	Kind string
	// Address is the endpoint's URL, from the spec or the vendor's default. Empty: nothing is exchanged.
	Address string
	// AddressField is the field of the spec that sets Address.
	AddressField string
	// Hosts are the vendor's own hosts. A client Secret may be sent to them without listing them.
	Hosts []string
	// Keys are the values of the client Secret that the flow needs. The first missing one is reported.
	Keys []Key

	// Issue requests a new token. Nil: nothing is exchanged.
	Issue *Step
	// Update changes the current token when only Updatable Settings have changed. Nil: the vendor has no such request.
	Update *Step
	// Static are the credentials to publish if nothing is exchanged. They never expire. Nil: a token is requested.
	Static *BasicCredentials

	// APIHeaders are the headers that calls to the vendor's API need in addition to the one with the token.
	APIHeaders []Header
	// TokenHeader is the header that carries the bare token. Empty: Authorization, with the token type before it.
	TokenHeader string

	// Deprecated says why the vendor discourages this flow, and what to use instead. Empty: it is not deprecated.
	Deprecated string
	// Advice is added to messages about failures.
	Advice Advice

	// Settings are covered by the fingerprint, in addition to Kind, Address and the values of the client Secret. If a provider sets none, Of uses
	// the whole spec. A flow with an Update must set them, to tell which of them are Updatable.
	Settings []Setting
}

// Exchanges reports whether the flow requests a token from an endpoint. True for the zero Flow of a provider that this version does not know, whose
// target Secret still holds a token.
func (f *Flow) Exchanges() bool { return f.Static == nil }

// Asserts reports whether the flow sends a JWT that we sign. Its acceptance depends on both clocks.
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

// Scopes returns the requested scopes.
func (f *Flow) Scopes() []string {
	if f.Issue == nil {
		return nil
	}
	return f.Issue.Scopes
}

// ClientIDKey returns the Field of the key that identifies the client.
func (f *Flow) ClientIDKey() string {
	if f.Static != nil {
		return f.Static.Username
	}
	return clientID.Field
}

// UsesDefaultKeys reports whether every key has its default name.
func (f *Flow) UsesDefaultKeys() bool {
	for _, key := range f.Keys {
		if key.Name != key.Default {
			return false
		}
	}
	return true
}

// KeyName returns the name that the client Secret has for a Field, or the Field itself if the flow does not need it.
func (f *Flow) KeyName(field string) string {
	for _, key := range f.Keys {
		if key.Field == field {
			return key.Name
		}
	}
	return field
}

// CarrierHeader returns the name of the header that carries the token.
func (f *Flow) CarrierHeader() string { return cmp.Or(f.TokenHeader, "Authorization") }

// BasicCredentials name two values of the client Secret, by Field, that form HTTP Basic credentials (RFC 7617).
type BasicCredentials struct{ Username, Password string }

// Advice is what to do about a failure, in addition to what holds for every provider. An empty string adds nothing.
type Advice struct {
	// Rejected is for a 400, 401 or 403, NoExpiry for a token without a lifetime, AbsurdExpiry for a lifetime of more than ten years.
	Rejected, NoExpiry, AbsurdExpiry string
}
