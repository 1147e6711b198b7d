// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func newAdopt(env Environment, connect *connection) *cobra.Command {
	var sure confirmation
	cmd := &cobra.Command{
		Use:   "adopt NAME",
		Short: "Hand an existing Secret over to an object, as its target",
		Long: "Hand the existing Secret of the object's spec.target.name over to the object, by the annotation cdpcredentials.io/credential.\n\n" +
			"The operator then writes the token into it. Shows first what that means, and asks. Reads and writes the Secret's metadata only.",
		Args:              oneName,
		ValidArgsFunction: connect.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := connect.open()
			if err != nil {
				return err
			}
			return s.adopt(cmd.Context(), env, args[0], &sure)
		},
	}
	sure.addFlag(cmd)
	return cmd
}

func (s *session) adopt(ctx context.Context, env Environment, name string, sure *confirmation) error {
	obj, err := s.credential(ctx, name)
	if err != nil {
		return err
	}
	secret, err := s.secretMetadata(ctx, obj.Spec.Target.Name)
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("there is no Secret %s to adopt: the operator makes it", obj.Spec.Target.Name)
	}
	if err != nil {
		return err
	}
	if secret.Annotations[v1alpha1.CredentialAnnotation] == obj.Name {
		fmt.Fprintf(env.Out, "Secret %s is %s's already\n", secret.Name, obj.Name)
		return nil
	}
	p := &page{}
	for _, text := range adoptionMeans(obj, secret) {
		p.wrap("- ", text)
	}
	fmt.Fprintf(env.Err, "Secret %s becomes the target of %s:\n%s", secret.Name, obj.Name, p)
	if err := sure.ask(env); err != nil {
		return err
	}
	if err := s.annotate(ctx, secret, map[string]string{v1alpha1.CredentialAnnotation: obj.Name}); err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "Secret %s is handed over to %s\n", secret.Name, obj.Name)
	return nil
}

// adoptionMeans says what comes of a hand-over.
func adoptionMeans(obj *v1alpha1.CDPCredential, secret *metav1.PartialObjectMetadata) []string {
	means := []string{"the operator writes the key token and the other keys of spec.target into it, over what is there; keys of others stay"}
	if owner := secret.Annotations[v1alpha1.CredentialAnnotation]; owner != "" {
		means = append(means, "it is the target of the CDPCredential "+plain(clip(owner, 63))+" now, which loses it and cannot write its own token any more")
	}
	if ref := metav1.GetControllerOf(secret); ref != nil && ref.Kind != "CDPCredential" {
		means = append(means, fmt.Sprintf("%s %s controls it: the operator does not write it before that has ended (TargetUnusable)", plain(ref.Kind), plain(ref.Name)))
	}
	if obj.Spec.Target.DeletionPolicy == v1alpha1.DeletionPolicyRetain {
		return append(means, "it stays when the object is deleted (deletionPolicy Retain)")
	}
	return append(means, "deleting the object deletes it, unless it holds keys of others: then it stays without our keys")
}
