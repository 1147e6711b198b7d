// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
)

// A console is the demo's output. The first write that fails ends the demo.
type console struct {
	out io.Writer
	end context.CancelCauseFunc
}

// say prints one or more lines.
func (c console) say(format string, args ...any) { c.print(fmt.Sprintf(format+"\n", args...)) }

func (c console) print(text string) {
	if _, err := io.WriteString(c.out, text); err != nil {
		c.end(fmt.Errorf("print: %w", err))
	}
}
