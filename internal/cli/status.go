// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func newStatus(env Environment, connect *connection) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "status NAME",
		Short: "Say why an object is as it is, since when, what comes next and by whom",
		Long: "Say why an object is as it is, since when, what comes next and by whom; then its token's life, the pods that use it and its events.\n\n" +
			"Reads the object, its events and the pods of its namespace, and no Secret. Ends with 3 unless the object is well.",
		Args:              oneName,
		ValidArgsFunction: connect.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			s, err := connect.open()
			if err != nil {
				return err
			}
			o, err := s.observe(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			report := reportOf(o, env.Now())
			if err := out.print(env, report, func(p *page) { p.report(&report, env.Now()) }); err != nil {
				return err
			}
			if !report.Healthy {
				return errProblem
			}
			return nil
		},
	}
	out.addFlag(cmd)
	return cmd
}

// observe reads an object and what is around it. What may not be read is left out, and named.
func (s *session) observe(ctx context.Context, name string) (observation, error) {
	obj, err := s.credential(ctx, name)
	if err != nil {
		return observation{}, err
	}
	o := observation{object: obj}
	var pods corev1.PodList
	if err := s.List(ctx, &pods, client.InNamespace(s.namespace)); err != nil {
		o.hidden = append(o.hidden, "pods: "+err.Error())
	}
	var events eventsv1.EventList
	about := client.MatchingFieldsSelector{Selector: fields.AndSelectors(
		fields.OneTermEqualSelector("regarding.kind", "CDPCredential"), fields.OneTermEqualSelector("regarding.name", name),
	)}
	if err := s.List(ctx, &events, client.InNamespace(s.namespace), about); err != nil {
		o.hidden = append(o.hidden, "events: "+err.Error())
	}
	o.pods, o.events = pods.Items, events.Items
	return o, nil
}
