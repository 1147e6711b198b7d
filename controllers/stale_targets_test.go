// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestAnotherShardsTargetIsLeft: an object that leaves this shard for another one leaves the cache as a deleted one does. Its token stays in a target
// that holds keys of others, too, and is taken out of it when the object is really gone.
func TestAnotherShardsTargetIsLeft(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.enter("etl", "revision")
	name, target := types.NamespacedName{Namespace: "marketing", Name: "etl"}, types.NamespacedName{Namespace: "marketing", Name: "etl-token"}
	secret := &corev1.Secret{}
	if err := p.api.Get(t.Context(), target, secret); err != nil {
		t.Fatal(err)
	}
	secret.Data = map[string][]byte{"theirs": []byte("x")}
	if err := p.api.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	p.r.memory.of(name, "uid").Stale.SharedTarget = target.Name
	owner := func() string {
		t.Helper()
		secret := &corev1.Secret{}
		if err := p.api.Get(t.Context(), target, secret); err != nil {
			t.Fatal(err)
		}
		return secret.Annotations["cdpcredentials.io/credential"]
	}
	if err := p.r.sub().staleTargets.withdraw(t.Context(), name, p.r.memory.known(name)); err != nil || owner() != "etl" {
		t.Errorf("%v; the target of an object that is there says that it is that of %q", err, owner())
	}
	obj := &v1alpha1.CDPCredential{}
	obj.Namespace, obj.Name = name.Namespace, name.Name
	if err := p.api.Delete(t.Context(), obj); err != nil {
		t.Fatal(err)
	}
	if err := p.r.sub().staleTargets.withdraw(t.Context(), name, p.r.memory.known(name)); err != nil || owner() != "" {
		t.Errorf("%v; the target of an object that is gone says that it is that of %q", err, owner())
	}
}
