// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework/samples"
)

// state is the content of one line of the table.
type state struct {
	name, provider string
	// sample is set for credentials of config/samples, as opposed to a visitor's.
	sample        bool
	ready         bool
	expires, next time.Time // zero: none
	// refreshes is the number of tokens after the first; -1 if there is nothing to exchange.
	refreshes int
	// good is set if an API would accept the target's content right now.
	good bool
	// failure is why it is not ready or not refreshed; empty if there is nothing to report.
	failure string
}

// done reports whether the demo has shown everything about this credential.
func (s state) done() bool { return s.ready && s.good && s.refreshes != 0 }

// watcher observes what users and endpoints see.
type watcher struct {
	console
	client      client.Client
	endpoints   *exchangetest.Server
	credentials []samples.Credential
	invitation  string
	faults      atomic.Pointer[faults]
}

// states returns the state of every credential, by name: the samples, and those that visitors have added in any namespace.
func (w *watcher) states(ctx context.Context, now time.Time) ([]state, error) {
	var objects v1alpha1.CDPCredentialList
	if err := w.client.List(ctx, &objects); err != nil {
		return nil, fmt.Errorf("list credentials: %w", err)
	}
	var secrets corev1.SecretList
	if err := w.client.List(ctx, &secrets); err != nil {
		return nil, fmt.Errorf("list secrets: %w", err)
	}
	targets := map[client.ObjectKey]map[string][]byte{}
	for _, secret := range secrets.Items {
		targets[client.ObjectKeyFromObject(&secret)] = secret.Data
	}
	states := w.lostSamples(objects.Items)
	for _, o := range objects.Items {
		states = append(states, w.state(o, targets[client.ObjectKey{Namespace: o.Namespace, Name: o.Spec.Target.Name}], now))
	}
	slices.SortFunc(states, func(a, b state) int { return cmp.Compare(a.name, b.name) })
	return states, nil
}

// lostSamples returns the samples that somebody has deleted.
func (w *watcher) lostSamples(objects []v1alpha1.CDPCredential) []state {
	var lost []state
	for _, cred := range w.credentials {
		exists := slices.ContainsFunc(objects, func(o v1alpha1.CDPCredential) bool { return o.Namespace == namespace && o.Name == cred.Name })
		if !exists {
			lost = append(lost, state{name: cred.Name, provider: cred.Provider, sample: true, refreshes: -1, failure: "the object is gone"})
		}
	}
	return lost
}

// state returns what can be seen of an object and its target Secret.
func (w *watcher) state(o v1alpha1.CDPCredential, target map[string][]byte, now time.Time) state {
	s := state{name: o.Name, provider: o.Status.Provider, refreshes: -1}
	if o.Namespace != namespace {
		s.name = o.Namespace + "/" + o.Name
	}
	s.read(o.Status)
	i := slices.IndexFunc(w.credentials, func(c samples.Credential) bool { return o.Namespace == namespace && o.Name == c.Name })
	if i < 0 { // a visitor's: the operator itself counts the day's tokens
		s.good = s.ready
		if issued := o.Status.Issuance; issued != nil {
			s.refreshes = int(issued.Count) - 1
		}
		return s
	}
	cred := w.credentials[i]
	s.sample, s.provider = true, cred.Provider
	s.good = w.accepted(cred, target, now)
	if cred.Client.System != exchangetest.Basic {
		s.refreshes = max(0, w.endpoints.Issued(cred.Client.System, cred.Client.ID)-1)
	}
	return s
}

// accepted reports whether the endpoint's API would accept the target's content.
func (w *watcher) accepted(cred samples.Credential, data map[string][]byte, now time.Time) bool {
	if cred.Client.System == exchangetest.Basic {
		return string(data["username"]) == cred.Client.ID && string(data["password"]) == cred.Client.Secret
	}
	token, issued := w.endpoints.Token(string(data["token"]))
	return issued && token.LiveAt(now)
}

// read copies what the table shows from the object's status.
func (s *state) read(status v1alpha1.CDPCredentialStatus) {
	s.failure = ""
	s.ready = meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady)
	s.expires, s.next = timeOf(status.TokenExpirationTime), timeOf(status.NextRefreshTime)
	for _, kind := range []string{v1alpha1.ConditionRefreshed, v1alpha1.ConditionReady} {
		if c := meta.FindStatusCondition(status.Conditions, kind); c != nil && c.Status == metav1.ConditionFalse {
			s.failure = c.Reason + ": " + c.Message
			return
		}
	}
	if !s.ready {
		s.failure = "the operator has not reconciled it yet"
	}
}

func timeOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
