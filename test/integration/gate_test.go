// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestWaitingObjectsAreWokenAtTheirTurn: sixty objects at one endpoint, which the gate lets through one after the other. Who waits for a place asks by itself after
// minutes only, so all of them have a token within seconds because they are woken.
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
			return fmt.Errorf("%d of them are there", n)
		}
		return nil
	})
}
