// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
)

// The exit codes are an interface (docs/cli.md).
const (
	exitDone    = 0
	exitFailed  = 1 // the command could not do its work: no connection, no right, no such object
	exitUsage   = 2
	exitProblem = 3 // it did, and found a problem
	exitTimeout = 4 // it waited in vain
)

// An exitError ends the program with a code of its own. Its text, if any, goes to standard error.
type exitError struct {
	code int
	text string
}

func (e *exitError) Error() string { return e.text }

// errProblem says that what is printed already shows a problem.
var errProblem = &exitError{code: exitProblem}

func usageErrorf(format string, args ...any) error {
	return &exitError{code: exitUsage, text: fmt.Sprintf(format, args...)}
}

func exitCodeOf(err error) int {
	if err == nil {
		return exitDone
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return exitFailed
}
