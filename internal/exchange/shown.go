// SPDX-License-Identifier: Apache-2.0

package exchange

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// The limits of what is shown of an answer.
const (
	maxCode      = 64
	maxScope     = 128
	maxScopes    = 64
	maxTokenType = 32
)

// knownCodes are the error codes that may be shown. Any other could be anything, a secret that the endpoint was sent included, and no filter
// finds that in every spelling: so there is a list.
var knownCodes = []string{
	// RFC 6749 sections 4.1.2.1 and 5.2.
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "access_denied",
	"unsupported_response_type", "server_error", "temporarily_unavailable",
	// RFC 6750, RFC 7009, RFC 7591, RFC 8628, RFC 8693 and RFC 8707, RFC 9101 (also for RFC 9126), RFC 9396, RFC 9449, RFC 9470.
	"invalid_token", "insufficient_scope", "unsupported_token_type", "invalid_redirect_uri", "invalid_client_metadata", "invalid_software_statement",
	"unapproved_software_statement", "authorization_pending", "slow_down", "expired_token", "invalid_target", "invalid_request_uri",
	"invalid_request_object", "request_not_supported", "request_uri_not_supported", "invalid_authorization_details", "invalid_dpop_proof",
	"use_dpop_nonce", "insufficient_user_authentication",
	// OpenID Connect Core section 3.1.2.6.
	"interaction_required", "login_required", "account_selection_required", "consent_required", "registration_not_supported",
	// Adobe's service accounts, and the gateway before its API.
	"invalid_signature", "invalid_jti", "bad_request", "internal_error",
	"400003", "401013", "403000", "403003", "403010", "403025", "429050",
	// Auth0.
	"too_many_requests",
}

// experitureCode is the form of the codes of Experiture's envelope.
var experitureCode = regexp.MustCompile(`^CDP_ETL\.[A-Z0-9_.]+$`)

// shownCode is code if it may be shown, or else empty.
func shownCode(code string) string {
	if slices.Contains(knownCodes, code) || len(code) <= maxCode && experitureCode.MatchString(code) {
		return code
	}
	return ""
}

// showable reports whether a scope is of RFC 6749's characters (%x21, %x23-5B, %x5D-7E) and at most maxScope long.
func showable(scope string) bool {
	return scope != "" && len(scope) <= maxScope && !strings.ContainsFunc(scope, func(c rune) bool {
		return c < 0x21 || c > 0x7e || c == '"' || c == '\\'
	})
}

// correlationID is what the vendor's support asks for, if it is of a safe character set.
func correlationID(header http.Header, said *members, s secrets) string {
	inBody := said.at("correlationId").string()
	for _, id := range []string{header.Get("X-Correlation-Id"), header.Get("X-Request-Id"), header.Get("X-Debug-Id"), inBody} {
		if id != "" && len(id) <= maxCode && strings.Trim(id, idCharacters) == "" && !s.echoed(id) {
			return id
		}
	}
	return ""
}

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"
