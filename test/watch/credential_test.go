// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// A credential is a CDPCredential with its own endpoint.
type credential struct {
	*testing.T
	site            *site
	endpoints       *exchangetest.Server
	namespace, name string
	known           exchangetest.Client // at the endpoint
}

func newCredential(t *testing.T, s *site, namespace, name string, behaviour exchangetest.Behaviour) *credential {
	t.Helper()
	endpoints, err := exchangetest.Start(exchangetest.Options{Behaviour: behaviour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = endpoints.Close() })
	c := &credential{T: t, site: s, endpoints: endpoints, namespace: namespace, name: name, known: exchangetest.Client{
		System: exchangetest.OAuth2, ID: "id-of-" + name, Secret: "the-secret-of-" + name, Auth: exchangetest.AuthPost, Scopes: []string{"read"},
	}}
	if err := endpoints.Register(c.known); err != nil {
		t.Fatal(err)
	}
	return c
}

// saveSecret writes the client Secret.
func (c *credential) saveSecret(value, allowed string) {
	c.Helper()
	secret := &corev1.Secret{StringData: map[string]string{"client-id": c.known.ID, "client-secret": value, "ca.crt": string(c.endpoints.CABundle())}}
	secret.Namespace, secret.Name = c.namespace, c.name+"-client"
	if allowed != "" {
		secret.Annotations = map[string]string{v1alpha1.AllowedHostsAnnotation: allowed}
	}
	err := c.site.Client.Create(c.Context(), secret)
	if err != nil && client.IgnoreAlreadyExists(err) == nil {
		err = c.site.Client.Update(c.Context(), secret)
	}
	if err != nil {
		c.Fatal(err)
	}
}

func (c *credential) host() string { return c.endpoints.Host(exchangetest.OAuth2) }

// create creates the object, modified by change.
func (c *credential) create(change ...func(*v1alpha1.CDPCredentialSpec)) {
	c.Helper()
	obj := &v1alpha1.CDPCredential{}
	obj.Namespace, obj.Name = c.namespace, c.name
	obj.Spec = v1alpha1.CDPCredentialSpec{
		Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{
			TokenURL: v1alpha1.HTTPSURL(c.endpoints.TokenURL(exchangetest.OAuth2)), AuthMethod: "ClientSecretPost",
		}},
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: c.name + "-client"},
		Target:          v1alpha1.Target{Name: c.name + "-token"},
	}
	for _, each := range change {
		each(&obj.Spec)
	}
	if err := c.site.Client.Create(c.Context(), obj); err != nil {
		c.Fatal(err)
	}
}

func (c *credential) object() *v1alpha1.CDPCredential {
	c.Helper()
	obj := &v1alpha1.CDPCredential{}
	if err := c.site.Client.Get(c.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name}, obj); err != nil {
		c.Fatal(err)
	}
	return obj
}

// edit changes the object.
func (c *credential) edit(change func(*v1alpha1.CDPCredential)) {
	c.Helper()
	obj := c.object()
	before := obj.DeepCopy()
	change(obj)
	if err := c.site.Client.Patch(c.Context(), obj, client.MergeFrom(before)); err != nil {
		c.Fatal(err)
	}
}

// request requests a refresh.
func (c *credential) request() {
	c.Helper()
	c.edit(func(obj *v1alpha1.CDPCredential) {
		metav1.SetMetaDataAnnotation(&obj.ObjectMeta, v1alpha1.RefreshRequestedAtAnnotation, time.Now().Format(time.RFC3339Nano))
	})
}

// waitFor waits until a condition has this reason.
func (c *credential) waitFor(kind, reason string) {
	c.Helper()
	until(c.T, time.Minute, c.name+" has "+kind+" with "+reason, func() string {
		is := meta.FindStatusCondition(c.object().Status.Conditions, kind)
		if is == nil {
			return "the condition does not exist"
		}
		if is.Reason != reason {
			return "the reason is " + is.Reason + ": " + is.Message
		}
		return ""
	})
}

// down returns the behaviour of an endpoint that always fails in this way.
func down(fault func() *exchangetest.Fault) exchangetest.Behaviour {
	return exchangetest.Behaviour{Fault: func(r exchangetest.Request) *exchangetest.Fault {
		if r.Path == exchangetest.APIPath {
			return nil
		}
		return fault()
	}}
}
