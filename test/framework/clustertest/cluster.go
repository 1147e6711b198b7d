// SPDX-License-Identifier: Apache-2.0

// Package clustertest starts the API servers of test/framework for single tests. It is apart because programs use test/framework, too.
package clustertest

import (
	"cmp"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// Start starts a cluster that ends with the test. An empty Root is the module's, an empty Temp the test's own, and empty Assets are fetched or built.
func Start(t *testing.T, c framework.Cluster, namespace string) *framework.Cluster {
	t.Helper()
	here, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Assets == "" {
		if c.Assets, err = framework.Assets(t.Context(), here); err != nil {
			t.Fatal(err)
		}
	}
	c.Root = cmp.Or(c.Root, here)
	if c.Temp == "" {
		c.Temp = t.TempDir()
	}
	cluster, stop, err := framework.Start(t.Context(), c, namespace)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}
