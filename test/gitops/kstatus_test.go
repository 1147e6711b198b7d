// SPDX-License-Identifier: Apache-2.0

package gitops

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// The results of kstatus and of Argo CD's health check, and the condition Ready.
const (
	unseen            = "InProgress Progressing Ready=-"
	current           = "Current Healthy Ready=True"
	changed           = "InProgress Progressing Ready=True"
	retrying          = "InProgress Progressing Ready=True"
	retryingTokenless = "InProgress Progressing Ready=False"
	lastingTokenless  = "InProgress Degraded Ready=False"
	failed            = "Failed Degraded Ready=True"
	failedTokenless   = "Failed Degraded Ready=False"
	suspended         = "Current Healthy Ready=True"
	terminating       = "Terminating Progressing Ready=True"
)

// play is a credential with its own token endpoint, watched by an observer.
type play struct {
	*testing.T
	*lazyCluster
	*observer
	namespace string
	endpoints *exchangetest.Server
	down      atomic.Bool // whether the endpoint is down
	known     exchangetest.Client
}

func newPlay(t *testing.T) *play {
	t.Helper()
	p := &play{T: t, lazyCluster: sharedCluster(t)}
	var err error
	p.endpoints, err = exchangetest.Start(exchangetest.Options{Behaviour: exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault {
		if p.down.Load() {
			return exchangetest.Answer(http.StatusServiceUnavailable)
		}
		return nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.endpoints.Close() })
	p.namespace = p.lazyCluster.namespace(t)
	p.observer = observe(t, p.lazyCluster, p.namespace)
	p.known = exchangetest.Client{System: exchangetest.OAuth2, ID: "etl", Secret: "the-secret-of-" + p.namespace, Auth: exchangetest.AuthPost, Scopes: []string{"read"}}
	return p
}

// credential returns an object that has not been created.
func (p *play) credential() *v1alpha1.CDPCredential {
	obj := &v1alpha1.CDPCredential{}
	obj.Namespace, obj.Name = p.namespace, "etl"
	obj.Spec = v1alpha1.CDPCredentialSpec{
		Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{
			TokenURL: v1alpha1.HTTPSURL(p.endpoints.TokenURL(exchangetest.OAuth2)), AuthMethod: "ClientSecretPost",
		}},
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: "etl-client"},
		Target:          v1alpha1.Target{Name: "etl-token"},
	}
	return obj
}

func (p *play) create(obj client.Object) {
	p.Helper()
	if err := p.cluster.Client.Create(p.Context(), obj); err != nil {
		p.Fatal(err)
	}
}

// introduce registers the client at the endpoint and creates its Secret.
func (p *play) introduce() {
	p.Helper()
	if err := p.endpoints.Register(p.known); err != nil {
		p.Fatal(err)
	}
	p.create(p.clientSecret())
	p.awaitClientSecret()
}

// awaitClientSecret waits until the operator's cache has the client Secret. It comes by another watch than CDPCredentials do: an object that overtakes
// it is reported as SecretNotFound for a moment.
func (p *play) awaitClientSecret() {
	p.Helper()
	other := p.credential()
	other.Name, other.Spec.Target.Name = "other", "other-token"
	p.create(other)
	wait(p.T, "the operator sees the client Secret", func() bool {
		if err := p.cluster.Client.Get(p.Context(), client.ObjectKeyFromObject(other), other); err != nil {
			p.Fatal(err)
		}
		return other.Status.Reason != "" && other.Status.Reason != v1alpha1.ReasonSecretNotFound
	}, func() string { return other.Status.Reason })
	if err := p.cluster.Client.Delete(p.Context(), other); err != nil {
		p.Fatal(err)
	}
}

func (p *play) clientSecret() *corev1.Secret {
	secret := &corev1.Secret{StringData: map[string]string{"client-id": p.known.ID, "client-secret": p.known.Secret, "ca.crt": string(p.endpoints.CABundle())}}
	secret.Namespace, secret.Name = p.namespace, "etl-client"
	secret.Annotations = map[string]string{v1alpha1.AllowedHostsAnnotation: "127.0.0.1"}
	return secret
}

// change patches the object.
func (p *play) change(patch string) {
	p.Helper()
	obj := p.credential()
	if err := p.cluster.Client.Patch(p.Context(), obj, client.RawPatch("application/merge-patch+json", []byte(patch))); err != nil {
		p.Fatal(err)
	}
}

// TestStatusToolsFollowEveryState follows objects through their lives. Each story is everything that a tool could have seen: no intermediate state
// would let it proceed, or give up, too early.
func TestStatusToolsFollowEveryState(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		act  func(*play)
		want []string
	}{
		"a good life": {func(p *play) {
			p.introduce()
			p.create(p.credential())
			p.until(current)
			p.change(`{"spec": {"target": {"data": {"authorization": "Bearer {{ .token }}"}}}}`)
			p.until(changed)
			p.until(current)
		}, []string{unseen, current, changed, current}},
		"the client Secret comes later": {func(p *play) {
			p.create(p.credential())
			p.until(failedTokenless)
			p.introduce()
			p.until(current)
		}, []string{unseen, failedTokenless, current}},
		"no consent": {func(p *play) {
			p.known.ID = "nobody"
			secret := p.clientSecret()
			secret.Annotations = nil
			p.create(secret)
			p.create(p.credential())
			p.until(failedTokenless)
		}, []string{unseen, failedTokenless}},
		"refused by the endpoint": {func(p *play) {
			p.create(p.clientSecret())
			p.create(p.credential())
			p.until(failedTokenless)
		}, []string{unseen, failedTokenless}},
		"stalled with a good token": {func(p *play) {
			p.introduce()
			p.create(p.credential())
			p.until(current)
			p.change(`{"spec": {"clientSecretRef": {"name": "no-such"}}}`)
			p.until(failed)
			p.change(`{"spec": {"clientSecretRef": {"name": "etl-client"}}}`)
			p.until(current)
		}, []string{unseen, current, changed, failed, changed, current}},
		"an outage from the start": {func(p *play) {
			p.down.Store(true)
			p.introduce()
			p.create(p.credential())
			p.until(retryingTokenless)
			p.down.Store(false)
			p.until(current)
		}, []string{unseen, retryingTokenless, current}},
		"an address that does not exist": {func(p *play) {
			p.introduce()
			obj := p.credential()
			obj.Spec.Provider.OAuth2.TokenURL += "/no-such-path"
			p.create(obj)
			p.until(retryingTokenless)
			p.until(lastingTokenless)
		}, []string{unseen, retryingTokenless, lastingTokenless}},
		"an outage that outlives the token": {func(p *play) {
			p.known.Lifetime = 15 * time.Second
			p.introduce()
			p.create(p.credential())
			p.until(current)
			p.down.Store(true)
			p.until(retrying)
			p.until(retryingTokenless)
			p.down.Store(false)
			p.change(`{"metadata": {"annotations": {"cdpcredentials.io/refresh-requested-at": "now"}}}`)
			p.until(current)
		}, []string{unseen, current, retrying, retryingTokenless, current}},
		"suspended and resumed": {func(p *play) {
			p.introduce()
			p.create(p.credential())
			p.until(current)
			p.change(`{"spec": {"suspend": true}}`)
			p.until(changed)
			p.until(suspended)
			p.change(`{"spec": {"suspend": false}}`)
			p.until(changed)
			p.until(current)
		}, []string{unseen, current, changed, suspended, changed, current}},
		"suspended from the start": {func(p *play) {
			p.introduce()
			obj := p.credential()
			obj.Spec.Suspend = true
			p.create(obj)
			p.until("InProgress Suspended Ready=False")
		}, []string{unseen, "InProgress Suspended Ready=False"}},
		"the API wants another scope": {func(p *play) {
			p.introduce()
			obj := p.credential()
			obj.Spec.Verify = &v1alpha1.Verify{URL: v1alpha1.HTTPSURL(p.endpoints.APIURL(exchangetest.OAuth2) + "?scope=write")}
			p.create(obj)
			p.until(current)
			wait(p.T, "Verified is False", func() bool { return conditionOf(p.latest(), "Verified") != nil }, func() string { return "" })
			got, err := healthOf(p.Context(), p.script, p.latest().Object)
			if err != nil || !strings.HasPrefix(got.Message, "The target Secret holds a valid token, but it was not verified: ") {
				p.Errorf("got %v, %v", got, err)
			}
		}, []string{unseen, current}},
		"its end": {func(p *play) {
			p.introduce()
			obj := p.credential()
			obj.Finalizers = []string{"example.com/not-yet"}
			p.create(obj)
			p.until(current)
			if err := p.cluster.Client.Delete(p.Context(), obj); err != nil {
				p.Fatal(err)
			}
			p.until(terminating)
			p.change(`{"metadata": {"finalizers": null}}`)
		}, []string{unseen, current, terminating}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlay(t)
			tc.act(p)
			if diff := cmp.Diff(tc.want, p.story()); diff != "" {
				t.Errorf("what was seen, -want +got:\n%s", diff)
			}
		})
	}
}
