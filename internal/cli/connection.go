// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// A connection is to the API server that kubectl's flags and files say.
type connection struct {
	flags *genericclioptions.ConfigFlags
}

// A session is a client, and the namespace to use where nobody says another.
type session struct {
	client.Client
	config    *rest.Config
	namespace string
}

func (c *connection) open() (*session, error) {
	config, err := c.flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	config.QPS = -1 // the API server has limits of its own
	namespace, _, err := c.flags.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, fmt.Errorf("find the namespace: %w", err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	made, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("connect to the API server: %w", err)
	}
	return &session{Client: made, config: config, namespace: namespace}, nil
}

// openCredential connects and reads one object.
func (c *connection) openCredential(ctx context.Context, name string) (*session, *v1alpha1.CDPCredential, error) {
	s, err := c.open()
	if err != nil {
		return nil, nil, err
	}
	obj, err := s.credential(ctx, name)
	return s, obj, err
}

// credential reads one object of the session's namespace.
func (s *session) credential(ctx context.Context, name string) (*v1alpha1.CDPCredential, error) {
	obj := &v1alpha1.CDPCredential{}
	if err := s.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, obj); err != nil {
		return nil, explained(err)
	}
	return obj, nil
}

// explained says what to do about an error of the API server that people often meet.
func explained(err error) error {
	switch {
	case meta.IsNoMatchError(err):
		return errors.New("this cluster does not know CDPCredentials: install the operator (docs/install.md), or choose another cluster with --context")
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%w: ask for the ClusterRole cdpcredential-viewer-role or -editor-role, or try -n with another namespace", err)
	}
	return err
}

// completeNames offers the names of CDPCredentials.
func (c *connection) completeNames(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const nothing = cobra.ShellCompDirectiveNoFileComp
	if len(args) > 0 {
		return nil, nothing
	}
	s, err := c.open()
	if err != nil {
		return nil, nothing
	}
	var list v1alpha1.CDPCredentialList
	if err := s.List(cmd.Context(), &list, client.InNamespace(s.namespace)); err != nil {
		return nil, nothing
	}
	var names []cobra.Completion
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names, nothing
}
