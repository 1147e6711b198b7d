// SPDX-License-Identifier: Apache-2.0

package flow_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/flow/flowtest"
)

// TestContractProviderRuleNamesEveryMember: the rule that exactly one provider is set counts each member of spec.provider, and its message names them all.
func TestContractProviderRuleNamesEveryMember(t *testing.T) {
	t.Parallel()
	crd, err := os.ReadFile("../../config/crd/bases/cdpcredentials.io_cdpcredentials.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(string(crd)), " ")
	_, message, _ := strings.Cut(text, "exactly one provider must be set: ")
	message, _, _ = strings.Cut(message, "rule:")
	for member := range reflect.TypeFor[v1alpha1.Provider]().Fields() {
		name := flowtest.JSONName(member)
		if !strings.Contains(text, "has(self."+name+")") || !strings.Contains(message, name) {
			t.Errorf("the rule above the type Provider does not name %s", name)
		}
	}
}
