// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestTargetReferenceNamesTheTarget names the target as it is to be, and nothing of its content.
func TestTargetReferenceNamesTheTarget(t *testing.T) {
	t.Parallel()
	s := steady()
	s.Target.Secret = &corev1.Secret{Data: map[string][]byte{"token": []byte("t0ken")}}
	got, ok := SecretReference(s.Object.Namespace, s.Target.Name).(*corev1.Secret)
	if !ok || got.Namespace != "marketing" || got.Name != "etl-token" || got.Kind != "Secret" || got.APIVersion != "v1" || got.Data != nil {
		t.Errorf("got %+v", got)
	}
}
