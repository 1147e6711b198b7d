// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestNamespacedInstallWorksWithItsOwnRole runs the manager for one namespace, with config/namespaced's Role there and no rights on Secrets
// elsewhere.
func TestNamespacedInstallWorksWithItsOwnRole(t *testing.T) {
	t.Parallel()
	s, other := newStage(t), newStage(t)
	s.manager, other.manager = "namespaced", "namespaced"

	roles := readRoles("../../config/namespaced/watched/role.yaml", "../../config/namespaced/watched/role_binding.yaml",
		"../../config/rbac/leader_election_role.yaml", "../../config/rbac/leader_election_role_binding.yaml",
		"../../config/rbac/metrics_auth_role.yaml", "../../config/rbac/metrics_auth_role_binding.yaml")
	for _, role := range roles {
		if role.GetNamespace() == "" && strings.HasPrefix(role.GetObjectKind().GroupVersionKind().Kind, "Role") {
			role.SetNamespace(s.namespace)
		}
	}
	id, err := s.grant(t.Context(), roles, "namespaced")
	s.must(err)
	rights, err := client.New(id.config, client.Options{Scheme: s.Scheme})
	s.must(err)
	if err := rights.List(t.Context(), &corev1.SecretList{}, client.InNamespace(other.namespace)); !apierrors.IsForbidden(err) {
		t.Fatalf("listing Secrets of another namespace: %v", err)
	}

	manager, err := s.startManager(t.Context(), id, "namespaced", "--leader-elect", "--watch-namespaces="+s.namespace,
		"--watch-selector="+managerLabel+"=namespaced", "--allowed-cidrs="+openAddress)
	s.must(err)
	t.Cleanup(func() {
		if err := manager.stop(); err != nil {
			t.Error(err)
		}
	})
	_, foreign := other.prepare("foreign")
	s.must(s.Client.Create(t.Context(), foreign))
	c := s.ready("etl")
	c.edit(renamed)
	c.waitIssued(1)
	other.throughout(3*time.Second, "in another namespace", func() error {
		s.must(s.Client.Get(t.Context(), client.ObjectKeyFromObject(foreign), foreign))
		if len(foreign.Status.Conditions) > 0 || other.endpoints.Stats().TotalIssued() > 0 {
			t.Fatal("the object of another namespace was reconciled")
		}
		return nil
	})
	if lines, err := manager.lines(`"error"`); err != nil || len(lines) > 0 {
		t.Errorf("the manager logged errors, %v: %v", err, lines)
	}
}
