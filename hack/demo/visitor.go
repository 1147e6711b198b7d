// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// The client that every stand-in accepts, for credentials that visitors write: docs/quickstart.md and README.md use it.
const (
	visitorID     = "my-id"
	visitorSecret = "my-secret"
)

// standInsName is the ConfigMap with the stand-ins' addresses.
const standInsName = "stand-ins"

// welcome registers the visitor's client, and creates the ConfigMaps with the stand-ins' addresses and their faults.
func welcome(ctx context.Context, c *framework.Cluster, endpoints *exchangetest.Server) error {
	for _, client := range []exchangetest.Client{
		{System: exchangetest.Apsis},
		{System: exchangetest.Adobe, OrganizationID: "ABC@AdobeOrg", Scopes: []string{"openid", "AdobeID", "read_organizations"}},
		{System: exchangetest.Experiture, Scopes: []string{"cdp:records:read", "cdp:records:write"}},
		{System: exchangetest.OAuth2, Scopes: []string{"read", "write"}},
	} {
		client.ID, client.Secret = visitorID, visitorSecret
		if err := endpoints.Register(client); err != nil {
			return fmt.Errorf("register the visitor's client: %w", err)
		}
	}
	for name, data := range map[string]map[string]string{standInsName: addresses(endpoints), faultsName: nil} {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: data}
		if err := c.Client.Create(ctx, object); err != nil {
			return fmt.Errorf("create ConfigMap %s: %w", name, err)
		}
	}
	return nil
}

// addresses returns what a credential needs to know about the stand-ins.
func addresses(endpoints *exchangetest.Server) map[string]string {
	data := map[string]string{"ca.crt": string(endpoints.CABundle())}
	for _, system := range []exchangetest.System{
		exchangetest.Adobe, exchangetest.Algonomy, exchangetest.Apsis, exchangetest.Auth0, exchangetest.Experiture, exchangetest.OAuth2,
	} {
		name := string(system)
		data[name+"-host"] = endpoints.Host(system)
		data[name+"-url"] = endpoints.URL(system)
		data[name+"-api-url"] = endpoints.APIURL(system)
		if tokenURL := endpoints.TokenURL(system); tokenURL != "" {
			data[name+"-token-url"] = tokenURL
		}
	}
	return data
}

// invitation returns the commands for a second terminal.
func invitation(c *framework.Cluster, plugins, metrics string) string {
	return c.Invitation(plugins) + `
  kubectl get configmap ` + standInsName + ` -o yaml    # where the stand-ins are
  kubectl patch configmap ` + faultsName + ` -p '{"data":{"apsis":"throttle"}}'
  kubectl cdpcred get
  curl -s ` + metrics + ` | grep ^cdpcredential_
docs/quickstart.md goes through it, and shows how to add a credential of your own.
docs/runbooks.md shows how to trigger each alert here, and how to resolve it.`
}
