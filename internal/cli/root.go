// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// Run does what the arguments say and returns the exit code.
func Run(ctx context.Context, args []string, env Environment) int {
	log.SetLogger(logr.Discard()) // of controller-runtime's client, which would complain that there is none
	root := newRoot(env)          //nolint:contextcheck // a command gets its context from cobra
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && err.Error() != "" {
		fmt.Fprintln(env.Err, "error:", err)
	}
	return exitCodeOf(err)
}

func newRoot(env Environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-cdpcred",
		Short: "See why a CDPCredential is as it is, and act on it",
		Long: "See why a CDPCredential is as it is, and act on it.\n\n" +
			"Exit codes: 0 done, 1 it could not be done, 2 wrong usage, 3 a problem was found, 4 waited in vain.",
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl cdpcred"},
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(env.In)
	root.SetOut(env.Out)
	root.SetErr(env.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageErrorf("%v; see %s --help", err, cmd.CommandPath())
	})
	flags := genericclioptions.NewConfigFlags(true)
	flags.AddFlags(root.PersistentFlags())
	connect := &connection{flags: flags}
	root.AddCommand(
		newGet(env, connect),
		newStatus(env, connect),
		newCheck(env, connect),
		newRenew(env, connect),
		newSuspend(env, connect),
		newResume(env, connect),
		newAdopt(env, connect),
		newAllow(env, connect),
		newCreate(env, connect),
		newRender(env, connect),
		newTry(env, connect),
		newVersion(env, connect),
	)
	return root
}
