// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
	"github.com/cdpcredentials/cdp-credential-operator/internal/token"
)

func newRender(env Environment, connect *connection) *cobra.Command {
	var out output
	var what subject
	cmd := &cobra.Command{
		Use:   "render (-f FILE | NAME)",
		Short: "Show what a target Secret would hold, with placeholders for all that is secret",
		Long: "Show what a target Secret would hold, with placeholders for all that is secret.\n\n" +
			"Checks the provider and the templates of spec.target.data as the operator does. With -f nothing is asked of a cluster; - is standard input.\n" +
			"Ends with 3 if something is wrong.",
		ValidArgsFunction: connect.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := what.check(args); err != nil {
				return err
			}
			if err := out.check(); err != nil {
				return err
			}
			obj, _, err := what.find(cmd.Context(), env, connect, args)
			if err != nil {
				return err
			}
			data, err := rendered(obj)
			if err != nil {
				return &exitError{code: exitProblem, text: plain(err.Error())}
			}
			return out.print(env, data, func(p *page) {
				p.line("Secret " + obj.Spec.Target.Name + " would hold:")
				for _, key := range credential.SortedKeys(data) {
					p.line("  " + key + ": " + plain(data[key]))
				}
			})
		},
	}
	cmd.Flags().StringVarP(&what.file, "filename", "f", "", "File with the CDPCredential; - is standard input.")
	out.addFlag(cmd)
	return cmd
}

// rendered is the target's data, made by the operator's own code of a token and of values that are placeholders.
func rendered(obj *v1alpha1.CDPCredential) (map[string]string, error) {
	desired, err := credential.DesiredFlowOf(&obj.Spec)
	if err != nil {
		return nil, err
	}
	if wrong := desired.Flow.Check(); wrong != nil && desired.Flow.Exchanges() {
		return nil, fmt.Errorf("spec.provider.%s: %w", desired.Flow.Provider, wrong)
	}
	for _, metadata := range []map[string]string{texts(obj.Spec.Target.Labels), texts(obj.Spec.Target.Annotations)} {
		for _, key := range credential.SortedKeys(metadata) {
			if !credential.AllowedTargetKey(key, nil) {
				return nil, fmt.Errorf("spec.target: the label or annotation %s needs --allowed-target-metadata", key)
			}
		}
	}
	placeholders := &corev1.Secret{Data: map[string][]byte{}}
	for _, key := range desired.Flow.Keys {
		placeholders.Data[key.Name] = []byte("<" + key.Name + ">")
	}
	request, err := desired.Request(placeholders)
	if err != nil {
		return nil, err
	}
	example := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	publication := &credential.Publication{
		Token: exchange.Token{Value: "<token>", Type: "Bearer", Life: token.Life{IssuedAt: example.Add(-time.Hour), ExpiresAt: example}}, Request: request,
		Persisted: credential.PersistedState{},
	}
	publication.Persisted.ExpiresAt = example
	if !desired.Flow.Exchanges() {
		publication.Token = exchange.Token{Value: "<token-id:token-secret in base64>", Type: "Basic"}
	}
	data, err := credential.TargetData(obj, publication)
	if err != nil {
		return nil, fmt.Errorf("spec.target.data.%w", err)
	}
	return texts(data), nil
}

func texts[T ~string | ~[]byte](data map[string]T) map[string]string {
	out := make(map[string]string, len(data))
	for key, value := range data {
		out[key] = string(value)
	}
	return out
}
