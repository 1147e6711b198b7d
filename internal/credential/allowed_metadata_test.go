// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestDisallowedTargetKeyNamesWhatIsNotListed: only keys that are known to be harmless, and those that an administrator opened, may be set on a target.
func TestDisallowedTargetKeyNamesWhatIsNotListed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		key     string
		opened  []string
		allowed bool
	}{
		"team":                                {"team", nil, true},
		"owner":                               {"owner", nil, true},
		"cost-center":                         {"cost-center", nil, true},
		"helm.sh/chart":                       {"helm.sh/chart", nil, true},
		"another of helm.sh":                  {"helm.sh/hook", nil, false},
		"velero's exclusion":                  {"velero.io/exclude-from-backup", nil, true},
		"another of velero.io":                {"velero.io/change-storage-class", nil, false},
		"reloader":                            {"reloader.stakater.com/match", nil, true},
		"app.kubernetes.io":                   {"app.kubernetes.io/part-of", nil, true},
		"Argo CD's tracking label":            {"app.kubernetes.io/instance", nil, false},
		"the tracking label, opened":          {"app.kubernetes.io/instance", []string{"app.kubernetes.io/instance"}, true},
		"our own label, opened":               {"app.kubernetes.io/managed-by", []string{"*", "app.kubernetes.io"}, false},
		"our own annotation, opened":          {"cdpcredentials.io/credential", []string{"*", "cdpcredentials.io"}, false},
		"our own annotation, in capitals":     {"CDPCredentials.io/credential", []string{"*"}, false},
		"a word that nobody knows":            {"grafana_dashboard", nil, false},
		"a company's own":                     {"example.com/team", nil, false},
		"a company's own, opened":             {"example.com/team", []string{"example.com"}, true},
		"istio":                               {"istio/multiCluster", nil, false},
		"kong":                                {"konghq.com/credential", nil, false},
		"kargo":                               {"kargo.akuity.io/cred-type", nil, false},
		"flux":                                {"reconcile.fluxcd.io/watch", nil, false},
		"tekton":                              {"tekton.dev/git-0", nil, false},
		"argocd":                              {"argocd.argoproj.io/secret-type", nil, false},
		"a replicator":                        {"replicator.v1.mittwald.de/replicate-to", nil, false},
		"opened key":                          {"argocd.argoproj.io/secret-type", []string{"argocd.argoproj.io/secret-type"}, true},
		"another key of the same prefix":      {"argocd.argoproj.io/tracking-id", []string{"argocd.argoproj.io/secret-type"}, false},
		"a prefix is no beginning":            {"reflector.v1.k8s.emberstack.com/x", []string{"reflector"}, false},
		"a harmless prefix in capitals":       {"App.kubernetes.io/part-of", nil, false},
		"a prefix that ends like a harmless":  {"x.app.kubernetes.io/part-of", nil, false},
		"a harmless prefix without its slash": {"app.kubernetes.io", nil, false},
		"kubectl's copy of what was applied":  {"kubectl.kubernetes.io/last-applied-configuration", []string{"*", "kubectl.kubernetes.io"}, false},
		"everything opened":                   {"tekton.dev/git-0", []string{"*"}, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, target := range []*v1alpha1.Target{
				{Labels: map[string]v1alpha1.LabelValue{"team": "", tc.key: ""}}, {Annotations: map[string]v1alpha1.AnnotationValue{"team": "", tc.key: ""}},
			} {
				if got := disallowedTargetKey(target, tc.opened); (got == "") != tc.allowed || got != "" && got != tc.key {
					t.Errorf("got %q, want it to be allowed: %t", got, tc.allowed)
				}
			}
		})
	}
}

// TestDisallowedTargetKeyPassesOnlyTheList puts keys together from pieces of those that are allowed and of those that other controllers act on. What passes is on the
// contract's list, written down here once more, whatever its spelling.
func TestDisallowedTargetKeyPassesOnlyTheList(t *testing.T) {
	t.Parallel()
	known := []string{"helm.sh/chart", "team", "owner", "cost-center", "velero.io/exclude-from-backup"}
	pieces := []string{
		"app.kubernetes.io", "reloader.stakater.com", "helm.sh", "chart", "team", "owner", "cost-center", "velero.io", "exclude-from-backup", "managed-by",
		"instance", "part-of", "match", "argocd.argoproj.io", "secret-type", "istio", "kubernetes.io", "cdpcredentials.io", "credential", "x", "TEAM",
	}
	joints := []string{"/", "/", "/", ".", "-", "", "_"}
	dice := rand.New(rand.NewPCG(1, 2))
	passed := map[string]bool{}
	for range 200_000 {
		key := pieces[dice.IntN(len(pieces))]
		for range dice.IntN(3) {
			key += joints[dice.IntN(len(joints))] + pieces[dice.IntN(len(pieces))]
		}
		listed := slices.Contains(known, key)
		for _, prefix := range []string{"app.kubernetes.io/", "reloader.stakater.com/"} {
			listed = listed || strings.HasPrefix(key, prefix) && key != "app.kubernetes.io/managed-by" && key != "app.kubernetes.io/instance"
		}
		if passes := AllowedTargetKey(key, nil); passes != listed {
			t.Errorf("%s: passes %t, is listed %t", key, passes, listed)
		} else if passes {
			passed[key] = true
		}
	}
	if len(passed) < 20 {
		t.Errorf("only %d keys passed", len(passed))
	}
}
