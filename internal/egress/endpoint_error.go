// SPDX-License-Identifier: Apache-2.0

package egress

// EndpointError is why a URL or a domain is not accepted as an endpoint. Its text tells the author of the URL what to write, and contains no user
// info.
type EndpointError struct{ Why string }

func (e *EndpointError) Error() string { return e.Why }
