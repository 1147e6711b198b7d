// SPDX-License-Identifier: Apache-2.0

package egress

// EndpointError says why a URL or a domain names no endpoint that we would call. Its text tells the user what to write
// and holds no user info; the author of the URL can fix it.
type EndpointError struct{ Why string }

func (e *EndpointError) Error() string { return e.Why }
