// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// confirmation is the flag --yes of commands that change what other people rely on: they show what they are about to do, and ask.
type confirmation struct{ yes bool }

func (c *confirmation) addFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "Do not ask.")
}

// ask returns an error unless somebody says yes.
func (c *confirmation) ask(env Environment) error {
	if c.yes {
		return nil
	}
	if !env.Interactive {
		return usageErrorf("nothing was changed: nobody can be asked here, so say --yes if this is right")
	}
	fmt.Fprint(env.Err, "Go on? Type yes: ")
	line, err := bufio.NewReader(env.In).ReadString('\n')
	if err == nil && strings.EqualFold(strings.TrimSpace(line), "yes") {
		return nil
	}
	return &exitError{code: exitFailed, text: "nothing was changed"}
}
