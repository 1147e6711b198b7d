// SPDX-License-Identifier: Apache-2.0

package exchange

import "bufio"

// Limits of an answer. What is skipped takes no memory, and what is kept is bounded: in a reader that builds a tree, an answer of 1 MiB can take
// fifty times as much.
const (
	maxMembers  = 256
	maxDepth    = 16
	maxText     = 64 << 10 // bytes of one string that is kept, including escapes
	maxName     = 1 << 10  // bytes of the name of a member that may be wanted
	maxNumber   = 128
	maxElements = 256 // of a list that is kept
)

// bodyError is why an answer is not accepted. Any other error of scan comes from the underlying reader.
type bodyError string

func (e bodyError) Error() string { return string(e) }

const (
	errNotAnObject    bodyError = "the answer is not a JSON object"
	errTooManyMembers bodyError = "the answer has more than 256 members"
	errTooDeep        bodyError = "the answer is nested more than 16 levels deep"
	errTooLarge       bodyError = "the answer is larger than 1 MiB"
)

// scanner reads one JSON object and keeps only the wanted members.
type scanner struct {
	in             *bufio.Reader
	members, depth int
	raw            []byte // the string or number being read
}
