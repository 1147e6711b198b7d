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

// knownCodes are the error codes that may be shown. Any other could be anything, even a secret that was sent, and no filter recognizes that in
// every encoding.
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

// experitureCode matches the codes in Experiture's envelope.
var experitureCode = regexp.MustCompile(`^CDP_ETL\.[A-Z0-9_.]+$`)

// shownCode returns code if it may be shown, and empty otherwise.
func shownCode(code string) string {
	isExperitures := len(code) <= maxCode && experitureCode.MatchString(code)
	if slices.Contains(knownCodes, code) || isExperitures {
		return code
	}
	return ""
}

// showable reports whether a scope has only characters of RFC 6749 (%x21, %x23-5B, %x5D-7E) and at most maxScope of them.
func showable(scope string) bool {
	return scope != "" && len(scope) <= maxScope && !strings.ContainsFunc(scope, func(c rune) bool {
		return c < 0x21 || c > 0x7e || c == '"' || c == '\\'
	})
}

// correlationID returns the ID that the vendor's support asks for, if it has only safe characters and repeats no secret.
func correlationID(header http.Header, said *members, s secrets) string {
	inBody := said.at("correlationId").string()
	for _, id := range []string{header.Get("X-Correlation-Id"), header.Get("X-Request-Id"), header.Get("X-Debug-Id"), inBody} {
		isSafe := len(id) <= maxCode && strings.Trim(id, idCharacters) == ""
		if id != "" && isSafe && !s.echoed(id) {
			return id
		}
	}
	return ""
}

const idCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"
