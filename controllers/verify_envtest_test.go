package controllers_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/cdptest"
)

// TestVerify asks the API itself: a token that it does not accept is replaced once, and no more.
func TestVerify(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	url := s.endpoints.APIURL(cdptest.OAuth2) + "?scope=read"
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
		obj.Spec.Verify.URL = v1alpha1.HTTPSURL(s.endpoints.APIURL(cdptest.OAuth2) + "?scope=write")
	})
	verified(metav1.ConditionFalse, "InsufficientScope")
	c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Verify.URL = v1alpha1.HTTPSURL(url) })
	verified(metav1.ConditionTrue, "Verified")

	// Whatever it is, the API does not take it: one more try, and no loop.
	c.settled()
	s.endpoints.SetBehaviour(cdptest.Behaviour{Fault: func(r cdptest.Request) *cdptest.Fault {
		if r.Path == cdptest.APIPath {
			return cdptest.Answer(401)
		}
		return nil
	}})
	verified(metav1.ConditionFalse, "TokenRejected")
	if issued := c.issued(); issued > 3 {
		t.Errorf("%d tokens were issued, want 3 at most", issued)
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
