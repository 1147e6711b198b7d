// SPDX-License-Identifier: Apache-2.0

package upgrade

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework/samples"
)

// first is the first version of the second edition of the contract. Nobody has installed an earlier one.
const first = "7a33e4f63cdd3a9644f65c6ee136838a42630d42"

// TestUpgradeAndRollback: the first version maintains tokens of every kind; today's takes over as a Deployment's new pod does, and hands back. No
// token is requested and nothing is written but the Lease.
func TestUpgradeAndRollback(t *testing.T) {
	t.Parallel()
	old, ok := at(t, first)
	if !ok {
		t.Skipf("NOT TRIED: this clone lacks the commit %s; what it wrote is tested by TestFirstVersionsRecordCostsNoExchange", first)
	}
	latest := today(t)
	w := newWorld(t, old.root)
	w.install(old)
	kubeconfig := w.account()
	endpoints, err := exchangetest.Start(exchangetest.Options{Behaviour: exchangetest.Behaviour{Lifetime: time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = endpoints.Close() })
	credentials, err := samples.Apply(t.Context(), w.Cluster, endpoints, namespace, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	n := len(credentials)
	flags := []string{"--leader-elect", "--leader-election-namespace=cdp-credential-operator-system", "--allowed-cidrs=127.0.0.0/8,::1/128"}
	leader := w.start(old, kubeconfig, flags...)
	w.wait("the old version has tokens for all", func() bool { return w.ready(n) })
	w.settled(leader, n)
	written, answers := w.versions(), endpoints.Stats().Answers
	if issued := endpoints.Stats().TotalIssued(); issued != n-1 { // basic requests none
		t.Fatalf("%d tokens were issued to %d objects, want one less", issued, n)
	}

	for _, step := range []struct {
		name string
		to   version
	}{{"the upgrade", latest}, {"the rollback", old}, {"the second upgrade", latest}} {
		w.install(step.to)
		w.valid()
		next := w.start(step.to, kubeconfig, flags...)
		w.stop(leader)
		w.settled(next, n)
		if diff := cmp.Diff(written, w.versions()); diff != "" {
			t.Errorf("%s wrote something: %s", step.name, diff)
		}
		if diff := cmp.Diff(answers, endpoints.Stats().Answers); diff != "" {
			t.Errorf("%s called token endpoints: %s", step.name, diff)
		}
		if !w.ready(n) {
			t.Errorf("after %s not all objects are Ready", step.name)
		}
		leader = next
	}
	if !t.Failed() {
		t.Logf("%d objects, %d tokens, 2 upgrades and a rollback: no exchange, no write", n, endpoints.Stats().TotalIssued())
	}
}
