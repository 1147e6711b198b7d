// SPDX-License-Identifier: Apache-2.0

// Package exchangetest provides strict stand-ins of the token endpoints and APIs that the operator talks to, as net/http/httptest does for
// HTTP: Adobe, APSIS One, Experiture, Algonomy, APIs behind Auth0, any RFC 6749 server, and legacy basic authentication.
//
// They are strict: what a vendor's documentation does not promise to accept is refused, with the error that the vendor documents or, where it
// documents none, one of the same form. So a test that passes here has sent what the vendor asks for. Every request is counted, every token is
// remembered until it has expired, and a hook can make any request fail in any way.
//
// Tests, the demo, the soak test and the benchmark use it. It listens on loopback by default, and is not part of the product.
package exchangetest
