// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// TestKustomizeComponentCarriesChangedNames builds a kustomization that adds a prefix, a suffix and a hash to names.
func TestKustomizeComponentCarriesChangedNames(t *testing.T) {
	t.Parallel()
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	assets, err := framework.Assets(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	out, err := framework.Command(t.Context(), "testdata/kustomize", filepath.Join(assets, "kubectl"), "kustomize", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	built := string(out)
	client := regexp.MustCompile(`name: (dev-etl-client-v1-[a-z0-9]+)\n`).FindStringSubmatch(built)
	if client == nil {
		t.Fatalf("the client Secret has no generated name:\n%s", built)
	}
	for text, count := range map[string]int{
		"clientSecretRef:\n    name: " + client[1]: 1,
		"target:\n    name: dev-etl-token-v1\n":    1,
		"secretName: dev-etl-token-v1\n":           1, // the volume
		"name: dev-etl-token-v1\n":                 5, // the object, its target, env, envFrom and the projected volume
		"kind: Deployment\n    name: dev-etl-v1\n": 1, // rolloutRestart
	} {
		if got := strings.Count(built, text); got != count {
			t.Errorf("%d times %q, want %d:\n%s", got, text, count, built)
		}
	}
}
