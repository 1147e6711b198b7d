// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"io"
	"time"

	"github.com/spf13/cobra"
)

// Environment is all that a command has of the world beside the API server.
type Environment struct {
	In       io.Reader
	Out, Err io.Writer
	Now      func() time.Time
	Getenv   func(string) string
	// Interactive reports whether a person can be asked. ReadSecret reads a line without showing it.
	Interactive bool
	ReadSecret  func() ([]byte, error)
	Version     string
}

// oneName is for commands that are about one object.
func oneName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageErrorf("give the name of one CDPCredential; see %s --help", cmd.CommandPath())
	}
	return nil
}

func noNames(cmd *cobra.Command, args []string) error {
	if len(args) != 0 {
		return usageErrorf("unexpected argument %q; see %s --help", args[0], cmd.CommandPath())
	}
	return nil
}
