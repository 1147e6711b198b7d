// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// pollInterval is how often --wait looks.
const pollInterval = 500 * time.Millisecond

func newRenew(env Environment, connect *connection) *cobra.Command {
	var waits bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "renew NAME",
		Short: "Have the operator get a new token now",
		Long: "Have the operator get a new token now, by the annotation cdpcredentials.io/refresh-requested-at.\n\n" +
			"With --wait it ends when the attempt was made: with 0 if it gave a token, with 3 and the reason if it did not, with 4 if none was made in time.",
		Args:              oneName,
		ValidArgsFunction: connect.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, obj, err := connect.openCredential(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if obj.Spec.Suspend {
				return &exitError{code: exitProblem, text: obj.Name + " is suspended, so nothing is renewed: resume it first"}
			}
			if obj.Status.IssuanceMode == v1alpha1.IssuanceModeOneActive {
				fmt.Fprintln(env.Err, "note: a new token invalidates the one in use; pods have the new one within about a minute")
			}
			request := env.Now().UTC().Format(time.RFC3339Nano)
			change := map[string]any{"metadata": map[string]any{"annotations": map[string]string{v1alpha1.RefreshRequestedAtAnnotation: request}}}
			if err := s.patch(cmd.Context(), obj, change); err != nil {
				return err
			}
			if !waits {
				fmt.Fprintf(env.Out, "a new token was requested for %s; see what comes of it with: kubectl cdpcred status %s -n %s\n", obj.Name, obj.Name, obj.Namespace)
				return nil
			}
			return s.awaitRenewal(cmd.Context(), env, obj.Name, request, timeout)
		},
	}
	cmd.Flags().BoolVar(&waits, "wait", false, "Wait until the attempt was made.")
	cmd.Flags().DurationVar(&timeout, "timeout", 2*time.Minute, "How long to wait. After a refusal the operator itself waits for a minute.")
	return cmd
}

// awaitRenewal waits until the operator has made the attempt that was requested.
func (s *session) awaitRenewal(ctx context.Context, env Environment, name, request string, timeout time.Duration) error {
	var obj *v1alpha1.CDPCredential
	var failed error
	err := wait.PollUntilContextTimeout(ctx, pollInterval, timeout, true, func(ctx context.Context) (bool, error) {
		var seen *v1alpha1.CDPCredential
		if seen, failed = s.credential(ctx, name); failed == nil { // else the API server is busy for a moment, and is asked again
			obj = seen
		}
		return obj != nil && obj.Status.LastHandledRefreshRequest == request, nil
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case obj == nil:
		return failed
	}
	worked := err == nil && meta.IsStatusConditionTrue(obj.Status.Conditions, v1alpha1.ConditionRefreshed)
	report, now := reportOf(observation{object: obj}, env.Now()), env.Now()
	switch {
	case worked && report.Token != nil:
		fmt.Fprintf(env.Out, "%s has a token, issued at %s, good until %s\n", name, moment(report.Token.Issued, now), moment(report.Token.Expires, now))
		return nil
	case worked:
		fmt.Fprintf(env.Out, "%s is renewed\n", name)
		return nil
	}
	p := &page{colour: hasColour(env)}
	p.answer(&report, now)
	fmt.Fprint(env.Out, p)
	if err != nil {
		return &exitError{code: exitTimeout, text: fmt.Sprintf("the operator has not made the attempt within %s", timeout)}
	}
	return errProblem
}
