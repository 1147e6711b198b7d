// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// wantedRenewals is how many renewals the pod that mounts the Secret must see without a single 401.
const wantedRenewals = 5

// TestPodsReadLiveTokensEndToEnd is one story: each chapter builds on the previous ones. One pod calls the API from the second to the last.
func TestPodsReadLiveTokensEndToEnd(t *testing.T) {
	life, err := time.ParseDuration(lifetime)
	if err != nil {
		t.Fatal(err)
	}
	operator := install(t)
	t.Cleanup(func() {
		if t.Failed() {
			operator.diagnose()
		}
	})
	s := newSite(t, "etl", "kept", "moved", "left")
	fromExamples := newExamples(t)
	operator.open(s.values["HOST"] + "/32," + fromExamples.values["HOST"] + "/32")
	s.credential(s.namespace, "etl", "Delete") // first: the story is as long as its renewals take
	s.apply("consumers.yaml", s.values)
	fromExamples.start()
	s.waitCounts(time.Minute, "mounts", "the pod that mounts the Secret gets a response", func(c counts) bool { return c.calls > 0 })

	for _, chapter := range []struct {
		name string
		test func(site, desk, time.Duration)
	}{
		{"kubectl get shows what the README says", columns},
		{"roles", roles},
		{"fail-over", failOver},
		{"garbage collection", garbage},
		{"a namespace is deleted", namespaceGoes},
		{"rollout restart", rolloutRestart},
		{"renewals", renewals},
		{"examples", fromExamples.check},
		{"uninstall", uninstall},
	} {
		if !t.Run(chapter.name, func(t *testing.T) { chapter.test(s.with(t), operator.with(t), life) }) {
			return
		}
	}
}

func columns(s site, _ desk, _ time.Duration) {
	got := strings.Split(s.kubectl("get", "cdpcred", "etl"), "\n")
	s.Logf("kubectl get cdpcred\n%s", strings.Join(got, "\n"))
	if want := []string{"NAME", "PROVIDER", "READY", "REASON", "EXPIRES", "SECRET", "AGE"}; !slices.Equal(strings.Fields(got[0]), want) {
		s.Errorf("columns are %q, want %q", strings.Fields(got[0]), want)
	}
	row := strings.Fields(got[1])
	if want := []string{"etl", "oauth2", "True", "TokenIssued"}; !slices.Equal(row[:4], want) || row[5] != "etl-token" {
		s.Errorf("the row is %q, want it to begin with %q and to name etl-token", row, want)
	}
}

// roles checks Kubernetes' own roles, which aggregate ours.
func roles(s site, _ desk, _ time.Duration) {
	for _, role := range []string{"admin", "edit", "view"} {
		s.kubectl("create", "rolebinding", role, "--clusterrole="+role, "--user="+role)
	}
	for _, row := range []struct{ user, verb, resource, want string }{
		{"admin", "delete", "cdpcredentials", "yes"},
		{"edit", "create", "cdpcredentials", "yes"},
		{"edit", "patch", "cdpcredentials/status", "no"},
		{"view", "get", "cdpcredentials", "yes"},
		{"view", "patch", "cdpcredentials", "no"},
		{"view", "get", "secrets", "no"},
	} {
		// Aggregation of roles takes a moment; can-i also exits with an error for no.
		s.wait(30*time.Second, row.user+" may "+row.verb+" "+row.resource+": "+row.want, func() (string, bool) {
			resource, sub, _ := strings.Cut(row.resource, "/")
			got, err := s.try("auth", "can-i", row.verb, resource, "--subresource="+sub, "--as="+row.user)
			if err != nil {
				got = "no"
			}
			return got, got == row.want
		})
	}
}

func failOver(_ site, operator desk, _ time.Duration) { operator.failOver() }

// garbage: a target is deleted with its object, or stays, depending on the deletion policy.
func garbage(s site, _ desk, _ time.Duration) {
	s.credential(s.namespace, "moved", "Delete")
	s.credential(s.namespace, "kept", "Retain")
	s.kubectl("delete", "cdpcredential", "moved", "kept", "--timeout=30s")
	s.gone(30*time.Second, "secret/moved-token")
	// The garbage collector has deleted the other object's Secret by now; if it wanted this one, it would be gone, too.
	if owners := s.kubectl("get", "secret", "kept-token", "-o", "jsonpath={.metadata.ownerReferences}{.data.token}"); !strings.HasPrefix(owners, "ZXlK") {
		s.Error("the retained Secret has an owner, or no token")
	}
}

// namespaceGoes deletes a namespace with everything that a user has in it.
func namespaceGoes(s site, _ desk, _ time.Duration) {
	left := newNamespace(s.T, "e2e-left", "restricted")
	s.credential(left.namespace, "left", "Delete")
	begin := time.Now()
	left.kubectl("delete", "namespace", left.namespace, "--timeout=90s")
	s.Logf("the namespace was gone after %.1fs", time.Since(begin).Seconds())
	if got := s.issued("left"); got != 1 {
		s.Errorf("%d tokens were issued to a credential that went with its namespace, want 1", got)
	}
}

// rolloutRestart: an environment variable keeps its value until the pod is replaced.
func rolloutRestart(s site, _ desk, life time.Duration) {
	old := s.newest("variable")
	c := s.waitCounts(life+time.Minute, old, "the token in the variable expires", func(c counts) bool { return c.unauthorized > 0 })
	if c.renewals != 0 || c.calls == c.unauthorized {
		s.Errorf("%s counted %+v, want successes first, and no renewal", old, c)
	}
	s.kubectl("rollout", "restart", "deployment/variable")
	s.kubectl("rollout", "status", "deployment/variable", "--timeout=1m")
	replaced := s.newest("variable")
	if replaced == old {
		s.Fatalf("%s was not replaced", old)
	}
	c = s.waitCounts(time.Minute, replaced, "the new pod has called five times", func(c counts) bool { return c.calls >= 5 })
	s.Logf("after kubectl rollout restart: calls %d, 401s %d, other failures %d", c.calls, c.unauthorized, c.other)
	if c.unauthorized > 0 || c.other > 0 {
		s.Errorf("the new pod counted %+v, want no 401s and no other failures", c)
	}
}

// renewals checks what all of this is for.
func renewals(s site, operator desk, life time.Duration) {
	c := s.waitCounts(wantedRenewals*life, "mounts", "five renewals reached the pod", func(c counts) bool { return c.renewals >= wantedRenewals })
	issued := s.issued("etl")
	s.Logf("the pod that mounts the Secret: renewals %d, calls %d, 401s %d, other failures %d; tokens issued %d",
		c.renewals, c.calls, c.unauthorized, c.other, issued)
	if c.unauthorized > 0 || c.other > 0 {
		s.Errorf("want no 401s and no other failures")
	} else if issued < c.renewals+1 || issued > c.renewals+2 { // the first is not a renewal; one more may not have reached the pod
		s.Errorf("%d tokens were issued for %d renewals: some were not needed", issued, c.renewals)
	}
	operator.checkHealth(s.values["SECRET"])
}

// uninstall removes the operator while credentials are in use.
func uninstall(s site, operator desk, _ time.Duration) {
	begin := time.Now()
	operator.kubectl("delete", "-f", installer, "--timeout=2m")
	s.Logf("kubectl delete -f install.yaml took %.1fs", time.Since(begin).Seconds())
	s.gone(30*time.Second, "secret/etl-token")
	if got, want := s.kubectl("get", "secrets", "-o", "name"), "secret/etl-client\nsecret/kept-client\nsecret/kept-token\nsecret/moved-client"; got != want {
		s.Errorf("the user's Secrets are\n%s\nwant\n%s", got, want)
	}
	s.wait(10*time.Second, "nothing is left behind", func() (string, bool) {
		names := operator.names()
		return strings.Join(names, " "), len(names) == 0
	})
}
