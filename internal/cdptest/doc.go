// Package cdptest stands in for the token endpoints and the APIs of the systems that the operator serves: Adobe, APSIS One,
// Experiture, Algonomy, APIs behind Auth0, any RFC 6749 server, and legacy basic authentication.
//
// It is strict: what a vendor's documentation does not promise to accept is refused, with the error that the vendor documents where
// there is one, else with one in the vendor's shape. So a test that passes here has sent what the vendor asked for. Every request is
// counted, every token is remembered until it has expired, and a hook can make any request fail in any way.
//
// The tests, the demo, the soak test and the benchmark use it. It listens on loopback, if nobody tells it otherwise, and is no part of the
// product.
package cdptest
