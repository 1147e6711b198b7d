// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// TestOperatorRestartCostsNothing restarts the real manager with healthy, failing and suspended credentials: the endpoint is not called and nothing
// is written.
func TestOperatorRestartCostsNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manager = s.namespace
	start := func() *process {
		id, err := s.grant(t.Context(), operatorRoles(), "restart")
		s.must(err)
		manager, err := s.startManager(t.Context(), id, "restart", "--watch-selector="+managerLabel+"="+s.manager, "--allowed-cidrs="+openAddress)
		s.must(err)
		t.Cleanup(func() {
			if err := manager.stop(); err != nil {
				t.Error(err)
			}
		})
		return manager
	}
	first := start()
	well := s.ready("well")
	suspended := s.ready("suspended")
	suspended.suspended()
	failing, obj := s.prepare("failing")
	failing.editClient(func(secret *corev1.Secret) { secret.Data["client-secret"] = []byte("wrong" + failing.known.Secret) })
	s.must(s.Client.Create(t.Context(), obj))
	failing.waitFailed("Stalled", "CredentialsRejected")
	all := []*credential{well, suspended, failing}
	before, attempts := versionsOf(all), well.attempts()
	s.must(first.stop())
	start()
	s.quiet("restart")
	if diff := cmp.Diff(before, versionsOf(all)); diff != "" {
		t.Errorf("something was written (-was +is):\n%s", diff)
	}
	if more := well.attempts() - attempts; more != 1 {
		t.Errorf("the endpoint was called %d times, want once, by the probe", more)
	}
}

// versionsOf returns the resourceVersions of everything that a write would change.
func versionsOf(all []*credential) map[string]string {
	versions := map[string]string{}
	for _, c := range all {
		versions[c.name] = c.object().ResourceVersion
		if target := c.target(); target != nil {
			versions[c.name+"-token"] = target.ResourceVersion
		}
	}
	return versions
}
