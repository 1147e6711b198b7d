package controllers_test

import (
	"context"
	"crypto/tls"
	"net/http"

	rbacv1 "k8s.io/api/rbac/v1"
)

// scrape gets the shared manager's metrics page as Prometheus would.
func (c *cluster) scrape(ctx context.Context) ([]byte, error) {
	binding := &rbacv1.ClusterRoleBinding{RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "metrics-reader"}}
	binding.Name = "metrics-reader"
	reader, err := c.grant(ctx, append(readRoles("../config/rbac/metrics_reader_role.yaml"), binding), "reader")
	if err != nil {
		return nil, err
	}
	return get(ctx, insecure(), c.manager.metrics+"/metrics", reader.config.BearerToken)
}

// insecure does not check certificates: the manager makes its own.
func insecure() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}
