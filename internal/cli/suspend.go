// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func newSuspend(env Environment, connect *connection) *cobra.Command {
	return &cobra.Command{
		Use:               "suspend NAME",
		Short:             "Stop exchanges and writes for an object (spec.suspend: true)",
		Args:              oneName,
		ValidArgsFunction: connect.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			obj, err := connect.setSuspend(cmd, args[0], true)
			if err != nil {
				return err
			}
			report := reportOf(observation{object: obj}, env.Now())
			fmt.Fprintf(env.Out, "%s is suspended: its token is not renewed", obj.Name)
			if report.Ready && report.Token != nil {
				fmt.Fprintf(env.Out, ", and pods have none after %s", moment(report.Token.Expires, env.Now()))
			}
			fmt.Fprintf(env.Out, "\nresume with: kubectl cdpcred resume %s -n %s\n", obj.Name, obj.Namespace)
			warnOfOthers(env, obj)
			return nil
		},
	}
}

func newResume(env Environment, connect *connection) *cobra.Command {
	return &cobra.Command{
		Use:               "resume NAME",
		Short:             "Go on with exchanges and writes for an object (spec.suspend: false)",
		Args:              oneName,
		ValidArgsFunction: connect.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			obj, err := connect.setSuspend(cmd, args[0], false)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Out, "%s is not suspended: the operator goes on at once\n", obj.Name)
			warnOfOthers(env, obj)
			return nil
		},
	}
}

func (c *connection) setSuspend(cmd *cobra.Command, name string, suspend bool) (*v1alpha1.CDPCredential, error) {
	s, obj, err := c.openCredential(cmd.Context(), name)
	if err != nil {
		return nil, err
	}
	return obj, s.patch(cmd.Context(), obj, map[string]any{"spec": map[string]any{"suspend": suspend}})
}

// warnOfOthers says who may undo the change: what is in Git wins in the end.
func warnOfOthers(env Environment, obj *v1alpha1.CDPCredential) {
	if who := otherManager(obj, `"f:suspend":{}`); who != "" {
		fmt.Fprintf(env.Err, "note: %s sets spec.suspend, too, and may set it back: change it there as well\n", who)
	}
}
