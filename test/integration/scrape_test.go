// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"crypto/tls"
	"net/http"

	rbacv1 "k8s.io/api/rbac/v1"
)

// scrape returns the shared manager's metrics page, fetched as Prometheus would.
func (c *cluster) scrape(ctx context.Context) ([]byte, error) {
	token, err := c.reader(ctx)
	if err != nil {
		return nil, err
	}
	return get(ctx, insecure(), c.manager.metrics+"/metrics", token)
}

// reader returns a token that may read metrics.
func (c *cluster) reader(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.metricsToken != "" {
		return c.metricsToken, nil
	}
	binding := &rbacv1.ClusterRoleBinding{RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "metrics-reader"}}
	binding.Name = "metrics-reader"
	reader, err := c.grant(ctx, append(readRoles("../../config/rbac/metrics_reader_role.yaml"), binding), "reader")
	if err != nil {
		return "", err
	}
	c.metricsToken = reader.config.BearerToken
	return c.metricsToken, nil
}

// insecure does not check certificates, because the manager generates its own.
func insecure() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}
