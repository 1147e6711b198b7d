// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// permission is what `allow` is asked to write.
type permission struct {
	hosts     []string
	ca, basic bool
}

func newAllow(env Environment, connect *connection) *cobra.Command {
	var sure confirmation
	var want permission
	cmd := &cobra.Command{
		Use:   "allow NAME",
		Short: "Let an object's client Secret go to a host, trust its CA, or be copied",
		Long: "Write the consent annotations of an object's client Secret, after showing what they mean.\n\n" +
			"Consent stands on the Secret and not on the object, so it is for whoever may change the Secret. What the Secret allows already stays.\n" +
			"Reads and writes the Secret's metadata only.",
		Args:              oneName,
		ValidArgsFunction: connect.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := want.check(); err != nil {
				return err
			}
			s, err := connect.open()
			if err != nil {
				return err
			}
			return s.allow(cmd.Context(), env, args[0], &want, &sure)
		},
	}
	cmd.Flags().StringSliceVar(&want.hosts, "host", nil, "Host that the Secret's values may be sent to: a name, an IP address or *.NAME, each with an optional :PORT.")
	cmd.Flags().BoolVar(&want.ca, "ca", false, "Trust the CA certificates that spec.tls.caBundle has now.")
	cmd.Flags().BoolVar(&want.basic, "basic", false, "Let the provider basic copy the Secret's values into its target.")
	sure.addFlag(cmd)
	return cmd
}

func (s *session) allow(ctx context.Context, env Environment, name string, want *permission, sure *confirmation) error {
	obj, err := s.credential(ctx, name)
	if err != nil {
		return err
	}
	secret, err := s.secretMetadata(ctx, obj.Spec.ClientSecretRef.Name)
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("there is no Secret %s: create it first", obj.Spec.ClientSecretRef.Name)
	}
	if err != nil {
		return err
	}
	annotations, means, err := want.annotations(obj, secret)
	if err != nil {
		return err
	}
	if len(annotations) == 0 {
		fmt.Fprintf(env.Out, "Secret %s allows that already\n", secret.Name)
		return nil
	}
	p := &page{}
	for _, text := range means {
		p.wrap("- ", text)
	}
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		p.line("  " + key + ": " + annotations[key])
	}
	fmt.Fprintf(env.Err, "Secret %s of namespace %s will say:\n%s", secret.Name, secret.Namespace, p)
	if err := sure.ask(env); err != nil {
		return err
	}
	if err := s.annotate(ctx, secret, annotations); err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "Secret %s allows it; the operator notices at once\n", secret.Name)
	return nil
}

func (w *permission) check() error {
	if len(w.hosts) == 0 && !w.ca && !w.basic {
		return usageErrorf("say what to allow: --host HOST, --ca or --basic")
	}
	if _, err := egress.ParseHosts(strings.Join(w.hosts, ",")); err != nil {
		return usageErrorf("--host: %v", err)
	}
	return nil
}

// annotations are those that change, and what they mean.
func (w *permission) annotations(obj *v1alpha1.CDPCredential, secret *metav1.PartialObjectMetadata) (map[string]string, []string, error) {
	changes := map[string]string{}
	var means []string
	change := func(key, value, meaning string) {
		if secret.Annotations[key] != value {
			changes[key] = value
			means = append(means, meaning)
		}
	}
	if len(w.hosts) > 0 {
		was := secret.Annotations[v1alpha1.AllowedHostsAnnotation]
		if _, err := egress.ParseHosts(was); err != nil {
			return nil, nil, unreadable(v1alpha1.AllowedHostsAnnotation, err)
		}
		hosts := added(was, w.hosts)
		change(v1alpha1.AllowedHostsAnnotation, hosts, fmt.Sprintf("any CDPCredential of namespace %s may have its values sent to %s", secret.Namespace, strings.Join(w.hosts, " and ")))
	}
	if w.ca {
		sums, who, err := bundleOf(obj)
		if err != nil {
			return nil, nil, err
		}
		was := secret.Annotations[v1alpha1.AllowedCAAnnotation]
		allowed, err := egress.ParseCAs(was)
		if err != nil {
			return nil, nil, unreadable(v1alpha1.AllowedCAAnnotation, err)
		}
		if allowed.Allow(obj.Spec.TLS.CABundle) {
			sums = nil
		}
		change(v1alpha1.AllowedCAAnnotation, added(was, sums), "any CDPCredential of namespace "+secret.Namespace+" may have these CAs say who its endpoint is: "+who)
	}
	if w.basic {
		change(v1alpha1.AllowBasicAnnotation, "true", fmt.Sprintf("any CDPCredential of namespace %s with the provider basic may copy its values into another Secret", secret.Namespace))
	}
	return changes, means, nil
}

func unreadable(key string, err error) error {
	return fmt.Errorf("the annotation %s is there and allows nothing, because of an entry that cannot be read (%w): correct it with kubectl edit secret", key, err)
}

// added puts entries behind those of an annotation, unless they are there.
func added(annotation string, entries []string) string {
	if len(entries) == 0 {
		return annotation
	}
	var all []string
	for entry := range strings.SplitSeq(annotation, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			all = append(all, entry)
		}
	}
	for _, entry := range entries {
		if !slices.Contains(all, entry) {
			all = append(all, entry)
		}
	}
	return strings.Join(all, ",")
}

// bundleOf gives the entries for the certificates of spec.tls.caBundle, and whose they are.
func bundleOf(obj *v1alpha1.CDPCredential) (sums []string, who string, err error) {
	if obj.Spec.TLS == nil || len(obj.Spec.TLS.CABundle) == 0 {
		return nil, "", errors.New("the object has no spec.tls.caBundle to trust")
	}
	if sums, err = egress.CASums(obj.Spec.TLS.CABundle); err != nil {
		return nil, "", fmt.Errorf("spec.tls.caBundle: %w", err)
	}
	var names []string
	for block, rest := pem.Decode(obj.Spec.TLS.CABundle); block != nil; block, rest = pem.Decode(rest) {
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			names = append(names, fmt.Sprintf("%s (until %s)", plain(certificate.Subject.String()), certificate.NotAfter.UTC().Format(time.DateOnly)))
		}
	}
	return sums, strings.Join(names, ", "), nil
}
