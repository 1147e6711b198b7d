// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// operatorLabels are those of the operator's Deployment and pods, in each way of installing it.
var operatorLabels = client.MatchingLabels{"app.kubernetes.io/name": "cdp-credential-operator"}

// operators are the Deployments that can be seen: with shards there are several.
func (s *session) operators(ctx context.Context) ([]appsv1.Deployment, error) {
	var list appsv1.DeploymentList
	if err := s.List(ctx, &list, operatorLabels); err != nil {
		return nil, err
	}
	return list.Items, nil
}

// manager is the container that is the operator. Nil: there is none.
func manager(deployment *appsv1.Deployment) *corev1.Container {
	for i := range deployment.Spec.Template.Spec.Containers {
		if container := &deployment.Spec.Template.Spec.Containers[i]; container.Name == "manager" {
			return container
		}
	}
	return nil
}

// argument is the value of a flag of the operator. Empty: it is not set.
func argument(container *corev1.Container, name string) string {
	for i, arg := range container.Args {
		flag, value, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case flag != name || !strings.HasPrefix(arg, "-"):
		case joined:
			return value
		case i+1 < len(container.Args):
			return container.Args[i+1]
		}
	}
	return ""
}

// rules are what an administrator has allowed with flags, for `try` and `check` to go by.
type rules struct {
	policy    credential.Policy
	addresses egress.Policy
}

// rulesOf reads the flags as the operator does.
func rulesOf(hosts, only, allowed, denied string) (rules, error) {
	var r rules
	var err error
	if r.policy.AllowedHosts, err = egress.ParseHosts(hosts); err != nil {
		return r, fmt.Errorf("--allowed-token-hosts: %w", err)
	}
	if r.policy.TokenHostsOnly, err = egress.ParseHosts(only); err != nil {
		return r, fmt.Errorf("--token-hosts-only: %w", err)
	}
	if r.addresses.Allowed, err = egress.ParsePrefixes(allowed); err != nil {
		return r, fmt.Errorf("--allowed-cidrs: %w", err)
	}
	if r.addresses.Denied, err = egress.ParsePrefixes(denied); err != nil {
		return r, fmt.Errorf("--denied-cidrs: %w", err)
	}
	return r, nil
}

// rulesOfOperator are those of a Deployment.
func rulesOfOperator(deployment *appsv1.Deployment) (rules, error) {
	container := manager(deployment)
	if container == nil {
		return rules{}, nil
	}
	return rulesOf(argument(container, "allowed-token-hosts"), argument(container, "token-hosts-only"), argument(container, "allowed-cidrs"), argument(container, "denied-cidrs"))
}

// proxyOf is the proxy that the operator goes through, without user and password. Empty: none.
func proxyOf(container *corev1.Container) string {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		for _, variable := range container.Env {
			if variable.Name != name || variable.Value == "" {
				continue
			}
			address, err := url.Parse(variable.Value)
			if err != nil || address.Host == "" {
				return "one whose address cannot be read"
			}
			return plain(address.Host)
		}
	}
	return ""
}
