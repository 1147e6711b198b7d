// SPDX-License-Identifier: Apache-2.0

package render

// Limits of the templates of one object.
const (
	maxKeys      = 64
	maxKeyLength = 253       // of a Secret's data key
	maxSources   = 64 << 10  // bytes of all templates together
	maxOutputs   = 256 << 10 // bytes that all templates together may print
	maxWork      = 8 << 20   // bytes that the functions of all templates together may produce
)

// Limits of one template. The parser and the check recurse once per nested action or parenthesis; counting them first bounds
// the depth, whatever is inside quotes.
const (
	maxActions     = 1024
	maxParentheses = 1024
	maxDepth       = 32
)

// Upper bounds of the values, in bytes. The caller enforces MaxSecret: a longer token or client value never gets here.
const (
	MaxSecret = 16 << 10
	maxScopes = 100
	maxScope  = 256 // RFC 6749's characters, which JSON leaves as they are
	maxNumber = 32
	maxShort  = 64 // .tokenType and .expiresAt
	// Two of .headers hold a secret: the token, and the client ID or the tenant hash. The rest are names and settings of the object.
	// All are visible ASCII, of which JSON is at most twice as long; as JSON they count as one secret.
	maxHeaders     = 2*MaxSecret + 2<<10
	maxHeadersJSON = jsonGrowth * MaxSecret
)

// The most bytes that a function produces for one byte of its argument.
const (
	quoteGrowth = 4 // \xff
	jsonGrowth  = 6 // \u0000, or \ufffd for what is not UTF-8
	caseGrowth  = 3 // the upper or lower case of a character may take more bytes
)

const maxReplacement = 8 // characters
