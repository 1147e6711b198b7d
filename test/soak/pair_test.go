// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// A pair is two replicas that watch one namespace, which also has their Lease. The first one leads and reaches the API server through a proxy.
type pair struct {
	*testing.T
	namespace     string
	proxy         *proxy
	leader, spare *framework.Manager
}

func newPair(t *testing.T, name string) *pair {
	t.Helper()
	p := &pair{T: t, namespace: namespaceOf(t, name), proxy: newProxy(t)}
	p.mayElect()
	p.leader = p.launch(p.proxy.kubeconfig, "leader.log")
	holder := p.waitHolder("")
	p.spare = p.launch(shared.kubeconfig, "spare.log")
	if err := p.spare.Ready(t.Context()); err != nil {
		t.Fatal(p.spare.Explain(err))
	}
	if again := p.holder(); again != holder {
		t.Fatalf("the Lease went from %s to %s before anything happened", holder, again)
	}
	return p
}

func namespaceOf(t *testing.T, name string) string {
	t.Helper()
	namespace := &corev1.Namespace{}
	namespace.GenerateName = name + "-"
	if err := shared.cluster.Client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	return namespace.Name
}

// mayElect grants the operator's ServiceAccount the leader election role in the pair's namespace, too.
func (p *pair) mayElect() {
	p.Helper()
	role, binding := &rbacv1.Role{}, &rbacv1.RoleBinding{}
	p.must(shared.cluster.Client.Get(p.Context(), client.ObjectKey{Namespace: framework.SystemNamespace, Name: "leader-election-role"}, role))
	p.must(shared.cluster.Client.Get(p.Context(), client.ObjectKey{Namespace: framework.SystemNamespace, Name: "leader-election-rolebinding"}, binding))
	own := &rbacv1.Role{Rules: role.Rules}
	own.Namespace, own.Name = p.namespace, role.Name
	bound := &rbacv1.RoleBinding{RoleRef: binding.RoleRef, Subjects: binding.Subjects}
	bound.Namespace, bound.Name = p.namespace, binding.Name
	p.must(shared.cluster.Client.Create(p.Context(), own))
	p.must(shared.cluster.Client.Create(p.Context(), bound))
}

func (p *pair) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *pair) launch(kubeconfig, log string) *framework.Manager {
	p.Helper()
	m, err := framework.LaunchManager(p.Context(), shared.binary, kubeconfig, filepath.Join(p.TempDir(), log),
		"--leader-elect", "--leader-election-namespace="+p.namespace, "--watch-namespaces="+p.namespace,
		"--allowed-cidrs=127.0.0.0/8")
	p.must(err)
	p.Cleanup(func() {
		if err := m.Stop(); err != nil {
			p.Error(err)
		}
	})
	return m
}

// holder returns the holder of the Lease, empty if there is none.
func (p *pair) holder() string {
	p.Helper()
	leases := &coordinationv1.LeaseList{}
	p.must(shared.cluster.Client.List(p.Context(), leases, client.InNamespace(p.namespace)))
	switch len(leases.Items) {
	case 0:
		return ""
	case 1:
		if holder := leases.Items[0].Spec.HolderIdentity; holder != nil {
			return *holder
		}
		return ""
	}
	p.Fatalf("there are %d Leases, want one for both replicas", len(leases.Items))
	return ""
}

// waitHolder waits until somebody else has the Lease.
func (p *pair) waitHolder(than string) string {
	p.Helper()
	var now string
	p.wait("another replica takes the Lease", func() bool { now = p.holder(); return now != than && now != "" })
	return now
}

func (p *pair) wait(what string, until func() bool) {
	p.Helper()
	wait(p.T, time.Minute, what, until)
}

func wait(t *testing.T, most time.Duration, what string, until func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	ticker := time.NewTicker(25 * time.Millisecond)
	defer ticker.Stop()
	for !until() {
		select {
		case <-ctx.Done():
			t.Fatalf("after %s still not true: %s", most, what)
		case <-ticker.C:
		}
	}
}
