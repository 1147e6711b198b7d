// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestAlgonomyResourceChangeUpdatesTheToken changes only the resources: the token stays the same and is updated at the vendor. If the vendor refuses
// that, a new token is issued.
func TestAlgonomyResourceChangeUpdatesTheToken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	known := exchangetest.Client{System: exchangetest.Algonomy, ID: "tenant-" + random(), Secret: random()}
	s.must(s.endpoints.Register(known))
	s.createSecret("etl-client", map[string]string{"tenant-hash": known.ID, "oauth-key-secret": known.Secret}, s.allowed())
	c := &credential{stage: s, name: "etl", known: known}
	obj := &v1alpha1.CDPCredential{ObjectMeta: s.meta("etl")}
	obj.Spec = v1alpha1.CDPCredentialSpec{
		Provider:        v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{URL: v1alpha1.HTTPSURL(s.endpoints.URL(exchangetest.Algonomy)), API: "Profile", Resources: []v1alpha1.Scope{"basic"}}},
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: "etl-client"},
		TLS:             &v1alpha1.TLS{CABundle: s.endpoints.CABundle()},
		Target:          v1alpha1.Target{Name: "etl-token"},
	}
	s.must(s.Client.Create(t.Context(), obj))
	c.waitIssued(1)
	token := c.token()

	resources := func(want ...v1alpha1.Scope) {
		c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Provider.Algonomy.Resources = want })
	}
	resources("basic", "segments")
	s.until(patience, "the update", func() error {
		if updated := s.endpoints.Stats().Updated[exchangetest.ClientKey{System: exchangetest.Algonomy, ID: known.ID}]; updated != 1 {
			return fmt.Errorf("%d updates, want 1", updated)
		}
		return c.healthy(c.object())
	})
	c.waitIssued(1)
	if c.token() != token {
		t.Error("the token was replaced")
	}
	if held, _ := s.endpoints.Token(token); cmp.Diff([]string{"basic", "segments"}, held.Scopes) != "" {
		t.Errorf("the token has the resources %v", held.Scopes)
	}

	s.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(r exchangetest.Request) *exchangetest.Fault {
		if r.Path == exchangetest.AlgonomyProfileUpdatePath {
			return exchangetest.Answer(400)
		}
		return nil
	}})
	resources("campaigns")
	c.waitIssued(2)
	if held, _ := s.endpoints.Token(c.token()); cmp.Diff([]string{"campaigns"}, held.Scopes) != "" {
		t.Errorf("the new token has the resources %v", held.Scopes)
	}
}
