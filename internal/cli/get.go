// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A Row is what `get` says of one object. Its JSON is an interface (docs/cli.md).
type Row struct {
	Namespace   string       `json:"namespace"`
	Name        string       `json:"name"`
	Provider    string       `json:"provider,omitempty"`
	Ready       bool         `json:"ready"`
	Healthy     bool         `json:"healthy"`
	Reason      string       `json:"reason"`
	Why         string       `json:"why"`
	Turn        string       `json:"turn"`
	Expires     *metav1.Time `json:"expires,omitempty"`
	NextAttempt *metav1.Time `json:"nextAttempt,omitempty"`
	Target      string       `json:"target"`
}

func newGet(env Environment, connect *connection) *cobra.Command {
	var out output
	var all, problems bool
	cmd := &cobra.Command{
		Use:   "get [NAME...]",
		Short: "List objects: what is wrong, how long tokens last, and whose turn it is",
		Long: "List objects: what is wrong, how long tokens last, and whose turn it is.\n\n" +
			"TURN is who has to do something: the operator, the object's author, the Secret's owner, an administrator or the vendor.",
		ValidArgsFunction: connect.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return usageErrorf("give names or -A, not both")
			}
			if err := out.check(); err != nil {
				return err
			}
			s, err := connect.open()
			if err != nil {
				return err
			}
			objects, err := s.credentials(cmd.Context(), args, all)
			if err != nil {
				return err
			}
			rows := rowsOf(objects, problems, env.Now())
			return out.print(env, rows, func(p *page) { p.rows(rows, all, env.Now()) })
		},
	}
	cmd.Flags().BoolVarP(&all, "all-namespaces", "A", false, "List objects of all namespaces.")
	cmd.Flags().BoolVar(&problems, "problems", false, "List only objects that somebody has to look at.")
	out.addFlag(cmd)
	return cmd
}

func (s *session) credentials(ctx context.Context, names []string, all bool) ([]v1alpha1.CDPCredential, error) {
	var list v1alpha1.CDPCredentialList
	if len(names) == 0 {
		where := client.InNamespace(s.namespace)
		if all {
			where = ""
		}
		if err := s.List(ctx, &list, where); err != nil {
			return nil, explained(err)
		}
	}
	for _, name := range names {
		obj, err := s.credential(ctx, name)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, *obj)
	}
	return list.Items, nil
}

// rowsOf is pure.
func rowsOf(objects []v1alpha1.CDPCredential, problems bool, now time.Time) []Row {
	rows := []Row{} // in JSON a list, not null
	for i := range objects {
		r := reportOf(observation{object: &objects[i]}, now)
		if problems && r.Healthy {
			continue
		}
		rows = append(rows, Row{
			Namespace: r.Namespace, Name: r.Name, Provider: r.Provider, Ready: r.Ready, Healthy: r.Healthy, Reason: r.Reason, Why: r.Why, Turn: r.Turn,
			Expires: objects[i].Status.TokenExpirationTime, NextAttempt: r.NextAttempt, Target: r.Target,
		})
	}
	return rows
}

func (p *page) rows(rows []Row, namespaces bool, now time.Time) {
	if len(rows) == 0 {
		p.line("no CDPCredentials found")
		return
	}
	head := []string{"NAME", "READY", "REASON", "LEFT", "NEXT", "TURN"}
	if namespaces {
		head = append([]string{"NAMESPACE"}, head...)
	}
	table := [][]string{head}
	for i := range rows {
		r := &rows[i]
		ready := "no"
		if r.Ready {
			ready = "yes"
		}
		cells := []string{r.Name, ready, r.Reason, until(r.Expires, now), until(r.NextAttempt, now), turnNames[r.Turn]}
		if namespaces {
			cells = append([]string{r.Namespace}, cells...)
		}
		table = append(table, cells)
	}
	p.table(table, func(row, _ int, cell string) string {
		switch {
		case row == 0 || rows[row-1].Healthy:
			return cell
		case rows[row-1].Ready:
			return p.paint(yellow, cell)
		}
		return p.paint(red, cell)
	})
}

// until is how long it is to a moment. A dash: there is none, or it is past.
func until(t *metav1.Time, now time.Time) string {
	if t == nil || !t.After(now) {
		return "-"
	}
	return duration.HumanDuration(t.Sub(now))
}
