// SPDX-License-Identifier: Apache-2.0

package exchange

import "bufio"

// The bounds of an answer. What is skipped takes no memory, and what is kept is bounded: an answer of 1 MiB can be made to take fifty
// times as much by a reader that builds a tree of it.
const (
	maxMembers  = 256
	maxDepth    = 16
	maxText     = 64 << 10 // of one string that is kept, escapes included
	maxName     = 1 << 10  // of the name of a member that is wanted
	maxNumber   = 128
	maxElements = 256 // of a list that is kept
)

// bodyError says why an answer is not read. Anything else that scan returns is an error of the reader below.
type bodyError string

func (u bodyError) Error() string { return string(u) }

const (
	errNotAnObject    bodyError = "the answer is not a JSON object"
	errTooManyMembers bodyError = "the answer has more than 256 members"
	errTooDeep        bodyError = "the answer is nested more than 16 levels deep"
	errTooLarge       bodyError = "the answer is larger than 1 MiB"
)

// scanner reads one JSON object and keeps nothing but what is wanted.
type scanner struct {
	in             *bufio.Reader
	members, depth int
	raw            []byte // the string or number that is being kept
}
