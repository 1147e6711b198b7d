// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// credential is a CDPCredential of oauth2 with its own endpoint.
type credential struct {
	*testing.T
	endpoints       *exchangetest.Server
	namespace, name string
	known           exchangetest.Client // at the endpoint
	asked           string              // the last refresh request
}

func newEndpoints(t *testing.T, behaviour exchangetest.Behaviour) *exchangetest.Server {
	t.Helper()
	endpoints, err := exchangetest.Start(exchangetest.Options{Behaviour: behaviour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = endpoints.Close() })
	return endpoints
}

func newCredential(t *testing.T, namespace, name string) *credential {
	t.Helper()
	return &credential{
		T: t, endpoints: newEndpoints(t, exchangetest.Behaviour{}), namespace: namespace, name: name,
		known: exchangetest.Client{System: exchangetest.OAuth2, ID: namespace + "-" + name, Secret: "the-secret-of-" + namespace, Auth: exchangetest.AuthPost},
	}
}

// create creates the client, its Secret and the object.
func (c *credential) create() {
	c.Helper()
	obj, err := prepareAt(c.T, c.endpoints, c.namespace, c.name, c.known)
	if err != nil {
		c.Fatal(err)
	}
	if err := shared.cluster.Client.Create(c.Context(), obj); err != nil {
		c.Fatal(err)
	}
}

// prepareAt creates the client and its Secret, and returns the object.
func prepareAt(t *testing.T, endpoints *exchangetest.Server, namespace, name string, known exchangetest.Client) (*v1alpha1.CDPCredential, error) {
	t.Helper()
	if err := endpoints.Register(known); err != nil {
		return nil, err
	}
	secret := &corev1.Secret{StringData: map[string]string{"client-id": known.ID, "client-secret": known.Secret, "ca.crt": string(endpoints.CABundle())}}
	secret.Namespace, secret.Name = namespace, name+"-client"
	secret.Annotations = map[string]string{v1alpha1.AllowedHostsAnnotation: endpoints.Host(exchangetest.OAuth2)}
	if err := shared.cluster.Client.Create(t.Context(), secret); err != nil {
		return nil, err
	}
	obj := &v1alpha1.CDPCredential{}
	obj.Namespace, obj.Name = namespace, name
	obj.Spec = v1alpha1.CDPCredentialSpec{
		Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{
			TokenURL: v1alpha1.HTTPSURL(endpoints.TokenURL(exchangetest.OAuth2)), AuthMethod: "ClientSecretPost",
		}},
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: name + "-client"},
		Target:          v1alpha1.Target{Name: name + "-token"},
	}
	return obj, nil
}

func (c *credential) object() *v1alpha1.CDPCredential {
	c.Helper()
	obj := &v1alpha1.CDPCredential{}
	if err := shared.cluster.Client.Get(c.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name}, obj); err != nil {
		c.Fatal(err)
	}
	return obj
}

// ripen waits until the minimum interval between two tokens has passed.
func (c *credential) ripen() {
	c.Helper()
	wait(c.T, time.Minute, "the last token is more than ten seconds old", func() bool {
		last := c.object().Status.LastRefreshTime
		return last != nil && time.Since(last.Time) > 11*time.Second
	})
}

// request requests a refresh.
func (c *credential) request(id string) {
	c.Helper()
	obj := c.object()
	before := obj.DeepCopy()
	metav1.SetMetaDataAnnotation(&obj.ObjectMeta, v1alpha1.RefreshRequestedAtAnnotation, id)
	if err := shared.cluster.Client.Patch(c.Context(), obj, client.MergeFrom(before)); err != nil {
		c.Fatal(err)
	}
	c.asked = id
}

// issued returns the number of tokens that the endpoint has issued.
func (c *credential) issued() int { return c.endpoints.Issued(exchangetest.OAuth2, c.known.ID) }

// token returns the token in the target, empty if there is none.
func (c *credential) token() string {
	c.Helper()
	target := &corev1.Secret{}
	if err := shared.cluster.Client.Get(c.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name + "-token"}, target); client.IgnoreNotFound(err) != nil {
		c.Fatal(err)
	}
	return string(target.Data["token"])
}

func (c *credential) live(token string) bool {
	known, issued := c.endpoints.Token(token)
	return issued && known.LiveAt(time.Now())
}

// settle waits for d, so that anything that should not happen would show.
func (c *credential) settle(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.Context().Done():
	}
}
