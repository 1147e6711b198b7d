// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestShardsServeEachObjectOnce runs two managers in one namespace, both with leader election, on disjoint selectors: each object is served by
// exactly one of them, and moving one to the other costs no exchange.
func TestShardsServeEachObjectOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	id, err := s.grant(t.Context(), operatorRoles(), "shards")
	s.must(err)
	shards := map[string]*process{}
	for _, name := range []string{"shard-a", "shard-b"} {
		manager, err := s.startManager(t.Context(), id, name, "--leader-elect", "--metrics-secure=false",
			"--watch-selector="+managerLabel+"="+name, "--allowed-cidrs="+openAddress)
		s.must(err)
		t.Cleanup(func() {
			if err := manager.stop(); err != nil {
				t.Error(err)
			}
		})
		shards[name] = manager
	}
	all := map[string]*credential{}
	for i, shard := range []string{"shard-a", "shard-b", "shard-a", "shard-b"} {
		s.manager = shard
		name := fmt.Sprintf("etl-%d", i)
		all[name] = s.ready(name)
	}
	s.served(shards, map[string]string{"etl-0": "shard-a", "etl-1": "shard-b", "etl-2": "shard-a", "etl-3": "shard-b"})
	leases, err := s.clientset.CoordinationV1().Leases(id.namespace).List(t.Context(), metav1.ListOptions{})
	s.must(err)
	if len(leases.Items) != 2 {
		t.Errorf("there are %d Leases, want one for each shard", len(leases.Items))
	}

	moved := all["etl-2"]
	moved.settled()
	moved.edit(func(obj *v1alpha1.CDPCredential) { obj.Labels[managerLabel] = "shard-b" })
	s.served(shards, map[string]string{"etl-0": "shard-a", "etl-1": "shard-b", "etl-2": "shard-b", "etl-3": "shard-b"})
	for name, c := range all {
		if issued := c.issued(); issued != 1 {
			t.Errorf("%s: %d tokens were issued, want 1", name, issued)
		}
	}
	moved.request("by the other")
	moved.waitIssued(2)
}

// served waits until each object has metrics at the shard that serves it, and at no other.
func (s *stage) served(shards map[string]*process, want map[string]string) {
	s.Helper()
	s.until(patience, "each object to be served by its shard", func() error {
		got := map[string]string{}
		for shard, manager := range shards {
			page, err := get(s.Context(), insecure(), strings.Replace(manager.metrics, "https", "http", 1)+"/metrics", "")
			if err != nil {
				return err
			}
			for name := range want {
				if strings.Contains(string(page), fmt.Sprintf(`cdpcredential_ready{name="%s",namespace="%s"} 1`, name, s.namespace)) {
					got[name] += shard
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("-want +got:\n%s", diff)
		}
		return nil
	})
}
