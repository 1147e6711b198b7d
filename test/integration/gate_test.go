// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestWaitingObjectsAreWokenAtTheirTurn: sixty objects share one endpoint, and the gate admits them one after the other. A waiting object asks again
// only after minutes, so they all have a token within seconds only because the gate wakes them.
func TestWaitingObjectsAreWokenAtTheirTurn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	_, first := s.prepare("many-0")
	for i := range 60 {
		obj := first.DeepCopy()
		obj.Name = fmt.Sprintf("many-%d", i)
		obj.Spec.Target.Name = obj.Name + "-token"
		s.must(s.Client.Create(t.Context(), obj))
	}
	s.operate(assembly{})
	s.until(30*time.Second, "sixty targets", func() error {
		secrets := &corev1.SecretList{}
		if err := s.Client.List(t.Context(), secrets, client.InNamespace(s.namespace)); err != nil {
			return err
		}
		n := 0
		for i := range secrets.Items {
			if len(secrets.Items[i].Data["token"]) > 0 {
				n++
			}
		}
		if n < 60 {
			return fmt.Errorf("%d targets have a token", n)
		}
		return nil
	})
}
