// SPDX-License-Identifier: Apache-2.0

// Package egress decides where we may connect and how often: which hosts a Secret consents to, which addresses are
// open at dial time, and the gate that paces the calls to one endpoint for all objects.
package egress
