// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestVerifyReplacesARejectedTokenOnce: a token that the API rejects is replaced once, and not again.
func TestVerifyReplacesARejectedTokenOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	url := s.endpoints.APIURL(exchangetest.OAuth2) + "?scope=read"
	c := s.ready("etl", func(obj *v1alpha1.CDPCredential) {
		obj.Spec.Verify = &v1alpha1.Verify{URL: v1alpha1.HTTPSURL(url), Interval: &metav1.Duration{Duration: 10e9}}
	})
	verified := func(status metav1.ConditionStatus, reason string) {
		t.Helper()
		s.until(patience, "Verified with "+reason, func() error { return is(c.object(), "Verified", status, reason) })
	}
	verified(metav1.ConditionTrue, "Verified")

	// Revoked at the vendor: one new token, which is accepted.
	c.settled()
	s.endpoints.Revoke(c.token())
	c.waitIssued(2)
	verified(metav1.ConditionTrue, "Verified")

	c.edit(func(obj *v1alpha1.CDPCredential) {
		obj.Spec.Verify.URL = v1alpha1.HTTPSURL(s.endpoints.APIURL(exchangetest.OAuth2) + "?scope=write")
	})
	verified(metav1.ConditionFalse, "InsufficientScope")
	c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Verify.URL = v1alpha1.HTTPSURL(url) })
	verified(metav1.ConditionTrue, "Verified")

	// The API rejects every token: one more attempt, and no loop.
	c.settled()
	s.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(r exchangetest.Request) *exchangetest.Fault {
		if r.Path == exchangetest.APIPath {
			return exchangetest.Answer(401)
		}
		return nil
	}})
	verified(metav1.ConditionFalse, "TokenRejected")
	if issued := c.issued(); issued > 3 {
		t.Errorf("%d tokens were issued, want at most 3", issued)
	}
	if err := is(c.object(), "Ready", metav1.ConditionTrue, "TokenValid"); err != nil {
		t.Error(err)
	}
	c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Verify = nil })
	s.until(patience, "Verified to go", func() error {
		if is(c.object(), "Verified", metav1.ConditionFalse, "TokenRejected") == nil {
			return errNotYet
		}
		return nil
	})
}

// TestVerifyReportsAnUnreadableCA: an invalid ca.crt in the client Secret is reported on Verified, because the endpoint may not be called for a long
// time, or never, as with basic. Once it is corrected, the API is called at once.
func TestVerifyReportsAnUnreadableCA(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*v1alpha1.CDPCredential){
		"oauth2": func(*v1alpha1.CDPCredential) {},
		"basic":  func(obj *v1alpha1.CDPCredential) { obj.Spec.Provider = v1alpha1.Provider{Basic: &v1alpha1.Basic{}} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			c, obj := s.prepare("etl")
			c.editClient(func(secret *corev1.Secret) {
				secret.Data["token-id"], secret.Data["token-secret"], secret.Data["ca.crt"] = []byte("id"), []byte(random()), s.endpoints.CABundle()
			})
			obj.Spec.TLS = nil
			obj.Spec.Verify = &v1alpha1.Verify{URL: v1alpha1.HTTPSURL(s.endpoints.APIURL(exchangetest.OAuth2) + "?scope=read"), Interval: &metav1.Duration{Duration: 2e9}}
			change(obj)
			s.must(s.Client.Create(t.Context(), obj))
			var answer *v1alpha1.CDPCredential
			s.until(patience, "the API's verdict", func() error {
				if answer = c.object(); meta.FindStatusCondition(answer.Status.Conditions, "Verified") == nil {
					return errNotYet
				}
				return is(answer, "Ready", metav1.ConditionTrue, "TokenValid")
			})
			before := *meta.FindStatusCondition(answer.Status.Conditions, "Verified")

			c.editClient(func(secret *corev1.Secret) { secret.Data["ca.crt"] = []byte("half a certificate") })
			s.until(patience, "the report", func() error { return is(c.object(), "Verified", metav1.ConditionUnknown, "SecretKeyInvalid") })
			message := meta.FindStatusCondition(c.object().Status.Conditions, "Verified").Message
			for _, want := range []string{"spec.verify.url", "Secret etl-client", "ca.crt", "BEGIN CERTIFICATE"} {
				if !strings.Contains(message, want) {
					t.Errorf("the message does not contain %q: %s", want, message)
				}
			}
			s.must(is(c.object(), "Refreshed", metav1.ConditionTrue, "TokenIssued"))
			generation := c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Verify.Interval = &metav1.Duration{Duration: time.Hour} }).Generation
			s.until(patience, "the interval to count", func() error {
				if c.object().Status.ObservedGeneration != generation {
					return errNotYet
				}
				return is(c.object(), "Verified", metav1.ConditionUnknown, "SecretKeyInvalid")
			})
			c.editClient(func(secret *corev1.Secret) { secret.Data["ca.crt"] = s.endpoints.CABundle() })
			s.until(patience, "the API's verdict again", func() error { return is(c.object(), "Verified", before.Status, before.Reason) })
		})
	}
}
