// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// credential is a CDPCredential of oauth2 with everything it needs: a client at the endpoint, and its client Secret. The target is the Secret
// NAME-token.
type credential struct {
	*stage
	name  string
	known exchangetest.Client // at the endpoint
}

// prepare creates the client and its Secret, and returns the object without creating it.
func (s *stage) prepare(name string, change ...func(*exchangetest.Client)) (*credential, *v1alpha1.CDPCredential) {
	s.Helper()
	c := &credential{stage: s, name: name, known: exchangetest.Client{
		System: exchangetest.OAuth2, ID: name + "-id", Secret: random(), Auth: exchangetest.AuthPost, Scopes: []string{"read", "write"},
	}}
	for _, change := range change {
		change(&c.known)
	}
	s.must(s.endpoints.Register(c.known))
	s.createSecret(name+"-client", map[string]string{"client-id": c.known.ID, "client-secret": c.known.Secret}, s.allowed())
	obj := &v1alpha1.CDPCredential{ObjectMeta: s.meta(name)}
	if s.manager != "" {
		obj.Labels = map[string]string{managerLabel: s.manager}
	}
	obj.Spec = v1alpha1.CDPCredentialSpec{
		Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{
			TokenURL: v1alpha1.HTTPSURL(s.endpoints.TokenURL(exchangetest.OAuth2)), AuthMethod: "ClientSecretPost", Scopes: []v1alpha1.Scope{"read"},
		}},
		ClientSecretRef: v1alpha1.ClientSecretReference{Name: name + "-client"},
		TLS:             &v1alpha1.TLS{CABundle: s.endpoints.CABundle()},
		Target:          v1alpha1.Target{Name: name + "-token"},
	}
	return c, obj
}

// ready creates a credential and waits for its first token.
func (s *stage) ready(name string, change ...func(*v1alpha1.CDPCredential)) *credential {
	s.Helper()
	c, obj := s.prepare(name)
	for _, change := range change {
		change(obj)
	}
	s.must(s.Client.Create(s.Context(), obj))
	c.waitIssued(1)
	return c
}

func (s *stage) createSecret(name string, data, annotations map[string]string) *corev1.Secret {
	s.Helper()
	secret := &corev1.Secret{ObjectMeta: s.meta(name), StringData: data}
	secret.Annotations = annotations
	s.must(s.Client.Create(s.Context(), secret))
	return secret
}

func (c *credential) object() *v1alpha1.CDPCredential {
	c.Helper()
	obj := &v1alpha1.CDPCredential{}
	c.must(c.Client.Get(c.Context(), client.ObjectKey{Namespace: c.namespace, Name: c.name}, obj))
	return obj
}

// edit changes the object and returns the result.
func (c *credential) edit(change func(*v1alpha1.CDPCredential)) *v1alpha1.CDPCredential {
	c.Helper()
	obj := c.object()
	before := obj.DeepCopy()
	change(obj)
	c.must(c.Client.Patch(c.Context(), obj, client.MergeFrom(before)))
	return obj
}

func (s *stage) editSecret(name string, change func(*corev1.Secret)) *corev1.Secret {
	s.Helper()
	secret := s.secretOf(name)
	if secret == nil {
		s.Fatalf("Secret %s does not exist", name)
	}
	before := secret.DeepCopy()
	change(secret)
	s.must(s.Client.Patch(s.Context(), secret, client.MergeFrom(before)))
	return secret
}

// labelTarget changes the target's labels through the spec, and waits until the target has them. Its data stays the same.
func (c *credential) labelTarget() {
	c.Helper()
	c.edit(func(obj *v1alpha1.CDPCredential) {
		obj.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"team": "etl"}
	})
	c.until(patience, "the label", func() error {
		if c.target().Labels["team"] != "etl" {
			return errNotYet
		}
		return nil
	})
}

func (c *credential) editClient(change func(*corev1.Secret)) { c.editSecret(c.name+"-client", change) }

// target returns the target Secret, nil if there is none.
func (c *credential) target() *corev1.Secret {
	c.Helper()
	return c.secretOf(c.name + "-token")
}

// token returns the token in the target, empty if there is none.
func (c *credential) token() string {
	c.Helper()
	if target := c.target(); target != nil {
		return string(target.Data["token"])
	}
	return ""
}

// issued returns the number of tokens that the endpoint has issued.
func (c *credential) issued() int { return c.endpoints.Issued(c.known.System, c.known.ID) }

// attempts returns the number of calls of the token endpoint by all objects of this stage.
func (c *credential) attempts() int {
	return c.endpoints.Stats().Requests(exchangetest.OAuth2, exchangetest.OAuth2TokenPath)
}

// request requests a refresh.
func (c *credential) request(id string) {
	c.Helper()
	c.edit(func(obj *v1alpha1.CDPCredential) {
		metav1.SetMetaDataAnnotation(&obj.ObjectMeta, "cdpcredentials.io/refresh-requested-at", id)
	})
}

// waitIssued waits until exactly n tokens were issued, the last one is in the target, and status says so.
func (c *credential) waitIssued(n int) *v1alpha1.CDPCredential {
	c.Helper()
	var obj *v1alpha1.CDPCredential
	c.until(patience, fmt.Sprintf("token %d of %s", n, c.name), func() error {
		if issued := c.issued(); issued > n {
			c.Fatalf("%s: %d tokens were issued, want %d", c.name, issued, n)
		} else if issued < n {
			return fmt.Errorf("%d tokens were issued so far", issued)
		}
		obj = c.object()
		return c.healthy(obj)
	})
	return obj
}

// waitRefreshed waits until the target has another token than before, and status says so.
func (c *credential) waitRefreshed(before string) {
	c.Helper()
	c.until(patience, "another token of "+c.name, func() error {
		if c.lastToken() == before {
			return errNotYet
		}
		return c.healthy(c.object())
	})
}

// healthy returns an error unless the target has the last issued token and status is that of a healthy object.
func (c *credential) healthy(obj *v1alpha1.CDPCredential) error {
	c.Helper()
	if obj.Status.ObservedGeneration != obj.Generation {
		return fmt.Errorf("observedGeneration is %d of %d", obj.Status.ObservedGeneration, obj.Generation)
	}
	if why := is(obj, "Refreshed", metav1.ConditionTrue, "TokenIssued"); why != nil {
		return why
	}
	if why := is(obj, "Ready", metav1.ConditionTrue, "TokenValid"); why != nil {
		return why
	}
	for _, kind := range []string{"Stalled", "Reconciling"} {
		if meta.FindStatusCondition(obj.Status.Conditions, kind) != nil {
			return fmt.Errorf("the object has the condition %s", kind)
		}
	}
	if obj.Status.TargetName != obj.Spec.Target.Name {
		return fmt.Errorf("targetName is %s", obj.Status.TargetName)
	}
	held := c.secretOf(obj.Spec.Target.Name)
	if held == nil {
		return fmt.Errorf("there is no target")
	}
	if string(held.Data["token"]) != c.lastToken() {
		return fmt.Errorf("the target does not have the last token")
	}
	// The target is written before status.
	said := held.Annotations["cdpcredentials.io/expires-at"]
	if at := obj.Status.TokenExpirationTime; at == nil || at.UTC().Format(time.RFC3339) != said {
		return fmt.Errorf("tokenExpirationTime is %v, the target says %s", at, said)
	}
	return nil
}

// lastToken returns the client's newest token.
func (c *credential) lastToken() string {
	last := ""
	for _, token := range c.endpoints.Tokens() {
		if token.System == c.known.System && token.ClientID == c.known.ID {
			last = token.Value
		}
	}
	return last
}

// waitFailed waits for a failure: its reason on Refreshed and on Stalled or Reconciling, and words of its message.
func (c *credential) waitFailed(kind, reason string, say ...string) *v1alpha1.CDPCredential {
	c.Helper()
	var obj *v1alpha1.CDPCredential
	c.until(patience, c.name+" to fail with "+reason, func() error {
		obj = c.object()
		return failed(obj, kind, reason, say...)
	})
	return obj
}

func failed(obj *v1alpha1.CDPCredential, kind, reason string, say ...string) error {
	if obj.Status.ObservedGeneration != obj.Generation {
		return fmt.Errorf("observedGeneration is %d of %d", obj.Status.ObservedGeneration, obj.Generation)
	}
	if why := is(obj, "Refreshed", metav1.ConditionFalse, reason); why != nil {
		return why
	}
	if why := is(obj, kind, metav1.ConditionTrue, reason); why != nil {
		return why
	}
	other := map[string]string{"Stalled": "Reconciling", "Reconciling": "Stalled"}[kind]
	if meta.FindStatusCondition(obj.Status.Conditions, other) != nil {
		return fmt.Errorf("the object has the condition %s besides %s", other, kind)
	}
	message := meta.FindStatusCondition(obj.Status.Conditions, "Refreshed").Message
	for _, words := range say {
		if !strings.Contains(message, words) {
			return fmt.Errorf("the message %q does not say %q", message, words)
		}
	}
	return nil
}

// is returns an error if a condition is not as wanted.
func is(obj *v1alpha1.CDPCredential, kind string, status metav1.ConditionStatus, reason string) error {
	condition := meta.FindStatusCondition(obj.Status.Conditions, kind)
	if condition == nil {
		return fmt.Errorf("the condition %s does not exist; %s", kind, statusText(obj))
	}
	if condition.Status != status || condition.Reason != reason {
		return fmt.Errorf("%s is %s with %s, want %s with %s; %s", kind, condition.Status, condition.Reason, status, reason, statusText(obj))
	}
	return nil
}

// spare returns another secret of the client, always the same.
func (c *credential) spare() string { return "spare" + c.known.Secret }

// settled waits until the minimum interval between two tokens (10 s) has passed.
func (c *credential) settled() {
	c.Helper()
	last := c.object().Status.LastRefreshTime
	if last == nil {
		c.Fatalf("%s has no lastRefreshTime", c.name)
	}
	c.until(patience, "10 s since the last token", func() error {
		if time.Since(last.Time) < 11*time.Second {
			return errNotYet
		}
		return nil
	})
}
