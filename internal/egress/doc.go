// SPDX-License-Identifier: Apache-2.0

// Package egress decides where the operator may connect and how often: which hosts a Secret consents to, which addresses are allowed at dial time,
// and the gate, which paces the calls of all objects to each endpoint.
package egress
