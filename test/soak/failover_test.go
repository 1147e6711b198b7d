// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestLeaderDiesAtEachPointOfAReconcile: at most the token that the leader had not written yet is lost, and status and target agree after the next
// leader's first reconcile.
func TestLeaderDiesAtEachPointOfAReconcile(t *testing.T) {
	t.Parallel()
	const name = "etl"
	for title, tc := range map[string]struct {
		first  bool // the reconcile issues the first token, not a renewal
		at     func(namespace string) checkpoint
		after  bool
		issued int // tokens issued by this reconcile and the next leader
	}{
		"at the start of the first reconcile": {first: true, at: reading(name + "-client"), issued: 1},
		"before the first target is created":  {first: true, at: creating, issued: 2},
		"after the first target was created":  {first: true, at: creating, after: true, issued: 1},
		"before the first status":             {first: true, at: reporting(name), issued: 1},
		"before the exchange":                 {at: reading(name + "-client"), issued: 1},
		"after reading the client Secret":     {at: reading(name + "-client"), after: true, issued: 1},
		"between exchange and target":         {at: patching(name + "-token"), issued: 2},
		"after target, without the response":  {at: patching(name + "-token"), after: true, issued: 1},
		"between target and status":           {at: reporting(name), issued: 1},
		"after status, without the response":  {at: reporting(name), after: true, issued: 1},
		"after status, before its event":      {at: telling, issued: 1},
		"after its event, without the rest":   {at: telling, after: true, issued: 1},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, "failover")
			c := newCredential(t, p.namespace, name)
			before := 0
			if !tc.first {
				c.create()
				p.wait("the first token is published", c.agrees)
				c.ripen()
				before = 1
			}
			was := p.holder()
			p.proxy.arm(tc.at(p.namespace), tc.after, func() { p.must(p.leader.Kill()) })
			if tc.first {
				c.create()
			} else {
				c.request("now")
			}
			p.wait("the leader dies", func() bool { return closed(p.proxy.sprung) })
			if !tc.first {
				if held := c.token(); held == "" || !c.live(held) {
					t.Errorf("after the leader died, the target has the token %q, which is not valid", held)
				}
			}
			p.waitHolder(was)
			p.wait("the next leader has reconciled the object", func() bool {
				return c.agrees() && c.object().Status.LastHandledRefreshRequest == c.asked && c.issued() >= before+tc.issued
			})
			if got := c.issued() - before; got != tc.issued {
				t.Errorf("%d tokens were issued by this reconcile and the next leader, want %d", got, tc.issued)
			}
			version := c.object().ResourceVersion
			c.settle(2 * time.Second)
			if now := c.object().ResourceVersion; now != version {
				t.Errorf("status was written again after it agreed: %s, then %s", version, now)
			}
			if got := c.issued() - before; got != tc.issued {
				t.Errorf("%d tokens a while later, want %d", got, tc.issued)
			}
		})
	}
}

// TestLeaderDiesDuringExchange: the leader dies while its request is at the endpoint, before a token is issued, or after that, with the response in
// flight.
func TestLeaderDiesDuringExchange(t *testing.T) {
	t.Parallel()
	for title, tc := range map[string]struct {
		fault  func(kill func()) *exchangetest.Fault
		issued int
	}{
		"before the token is issued": {func(kill func()) *exchangetest.Fault { kill(); return exchangetest.Reset() }, 1},
		"with the response in flight": {func(kill func()) *exchangetest.Fault {
			return &exchangetest.Fault{Rewrite: func(body []byte) []byte { kill(); return body }}
		}, 2},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, "exchange")
			c := newCredential(t, p.namespace, "etl")
			c.create()
			p.wait("the first token is published", c.agrees)
			c.ripen()
			held := c.token()
			c.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(r exchangetest.Request) *exchangetest.Fault {
				if r.Count > 1 { // counted since this behaviour was set
					return nil
				}
				return tc.fault(func() { p.must(p.leader.Kill()) })
			}})
			c.request("now")
			p.wait("the leader dies", func() bool { return closed(p.leader.Ended()) })
			if now := c.token(); now != held || !c.live(now) {
				t.Errorf("after the leader died, the target has another token, or an expired one")
			}
			p.wait("the next leader has reconciled the object", func() bool { return c.agrees() && c.object().Status.LastHandledRefreshRequest == "now" })
			if got := c.issued() - 1; got != tc.issued {
				t.Errorf("%d tokens were issued, want %d", got, tc.issued)
			}
		})
	}
}

// TestLeaderHandsOverAfterItsExchange: a leader that is terminated hands over quickly, but completes the exchange in flight.
func TestLeaderHandsOverAfterItsExchange(t *testing.T) {
	t.Parallel()
	p := newPair(t, "handover")
	c := newCredential(t, p.namespace, "etl")
	c.create()
	p.wait("the first token is published", c.agrees)
	c.ripen()
	issued := make(chan struct{})
	c.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(r exchangetest.Request) *exchangetest.Fault {
		if r.Count > 1 { // counted since this behaviour was set
			return nil
		}
		return &exchangetest.Fault{Rewrite: func(body []byte) []byte { // the token is issued, and the response takes a while
			close(issued)
			timer := time.NewTimer(500 * time.Millisecond)
			<-timer.C
			return body
		}}
	}})
	c.request("now")
	p.wait("the exchange is in flight", func() bool { return closed(issued) })
	was, began := p.holder(), time.Now()
	p.must(p.leader.Terminate())
	p.wait("the Lease is released", func() bool { return p.holder() != was })
	gaveUp := time.Since(began)
	p.waitHolder(was)
	tookOver := time.Since(began)
	t.Logf("with an exchange of 500 ms in flight: released after %s, taken over after %s", gaveUp.Round(time.Millisecond), tookOver.Round(time.Millisecond))
	if tookOver-gaveUp > 2*time.Second {
		t.Errorf("the next leader took over %s after the Lease was released, want less than 2 s", tookOver-gaveUp)
	}
	p.wait("the next leader has reconciled the object", func() bool { return c.object().Status.LastHandledRefreshRequest == "now" && c.agrees() })
	if got := c.issued(); got != 2 {
		t.Errorf("%d tokens were issued, want 2: one was lost by the shutdown", got)
	}
}

// TestHangingEndpointHoldsNoLease: a hanging endpoint does not keep a leader from handing over.
func TestHangingEndpointHoldsNoLease(t *testing.T) {
	t.Parallel()
	p := newPair(t, "hanging")
	c := newCredential(t, p.namespace, "etl")
	c.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault { return exchangetest.Hang() }})
	c.create()
	p.wait("the exchange is in flight", func() bool { return c.endpoints.Stats().InFlight[exchangetest.OAuth2] == 1 })
	was, began := p.holder(), time.Now()
	p.must(p.leader.Terminate())
	p.wait("the Lease is released", func() bool { return p.holder() != was })
	gaveUp := time.Since(began)
	t.Logf("with a hanging exchange: released after %s", gaveUp.Round(time.Millisecond))
	if gaveUp > 4*time.Second {
		t.Errorf("the Lease was released after %s, want a little more than 2 s", gaveUp)
	}
	c.endpoints.SetBehaviour(exchangetest.Behaviour{})
	p.wait("the next leader works", c.agrees)
}

func reading(secret string) func(string) checkpoint {
	return func(namespace string) checkpoint { return checkpoint{"GET", secretPath(namespace, secret)} }
}

func patching(secret string) func(string) checkpoint {
	return func(namespace string) checkpoint { return checkpoint{"PATCH", secretPath(namespace, secret)} }
}

func reporting(object string) func(string) checkpoint {
	return func(namespace string) checkpoint { return checkpoint{"PATCH", statusPath(namespace, object)} }
}

func creating(namespace string) checkpoint { return checkpoint{"POST", secretPath(namespace)} }

func telling(namespace string) checkpoint {
	return checkpoint{"POST", "/apis/events.k8s.io/v1/namespaces/" + namespace + "/events"}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// agrees reports whether status and target agree and the token is valid.
func (c *credential) agrees() bool {
	obj, target := c.object(), &corev1.Secret{}
	if err := shared.cluster.Client.Get(c.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name + "-token"}, target); err != nil {
		return false
	}
	status := obj.Status
	return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) &&
		meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionRefreshed) &&
		status.ObservedGeneration == obj.Generation &&
		status.TargetVersion == string(target.UID)+"/"+target.ResourceVersion &&
		status.TokenExpirationTime != nil && status.TokenExpirationTime.UTC().Format(time.RFC3339) == target.Annotations[v1alpha1.ExpiresAtAnnotation] &&
		c.live(string(target.Data["token"]))
}
