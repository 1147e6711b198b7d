// SPDX-License-Identifier: Apache-2.0

package render

// A checker runs a template on shapes instead of values. Both branches of a condition are run, so one walk covers every
// execution. Nodes are handled by a list of what is allowed: what a future Go adds to the language is refused until someone
// adds it here.
type checker struct {
	source    string
	variables []variable // innermost last
	work      int        // bytes that the functions of all templates so far make, at most
}

type variable struct {
	name  string
	shape shape
}
