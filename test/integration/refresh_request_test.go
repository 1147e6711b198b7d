// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange/exchangetest"
)

// TestRefreshRequestIsHandledOnce requires one token per request, however often the object is reconciled, and that status echoes it.
func TestRefreshRequestIsHandledOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	c := s.ready("etl")
	if handled := c.object().Status.LastHandledRefreshRequest; handled != "" {
		t.Errorf("lastHandledRefreshRequest is %q without a request", handled)
	}
	c.request("first")
	if obj := c.waitIssued(2); obj.Status.LastHandledRefreshRequest != "first" {
		t.Errorf("lastHandledRefreshRequest is %q", obj.Status.LastHandledRefreshRequest)
	}
	c.settled()
	c.edit(func(obj *v1alpha1.CDPCredential) {
		obj.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"team": "b"}
	})
	s.until(patience, "the label", func() error {
		if c.target().Labels["team"] != "b" {
			return errNotYet
		}
		return nil
	})
	c.waitIssued(2)
	c.request(strings.Repeat("x", 1000))
	if obj := c.waitIssued(3); len(obj.Status.LastHandledRefreshRequest) != 256 {
		t.Errorf("lastHandledRefreshRequest has %d characters", len(obj.Status.LastHandledRefreshRequest))
	}
}

// TestSuspendCostsNoExchangeAndNoWrite requires no exchange and no write while suspended, and that Ready follows the target.
func TestSuspendCostsNoExchangeAndNoWrite(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	c := s.ready("etl")
	c.settled()
	obj := c.suspended()
	if why := is(obj, "Ready", metav1.ConditionTrue, "Suspended"); why != nil {
		t.Error(why)
	}
	if obj.Status.NextRefreshTime != nil {
		t.Errorf("nextRefreshTime is %v", obj.Status.NextRefreshTime)
	}
	c.request("while suspended")
	c.edit(func(obj *v1alpha1.CDPCredential) {
		obj.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"team": "b"}
	})
	edited := c.editSecret("etl-token", func(secret *corev1.Secret) { secret.Data["token"] = []byte("edited") })
	s.until(patience, "Ready to report the edited token", func() error {
		obj = c.object()
		if obj.Status.ObservedGeneration != obj.Generation {
			return errNotYet
		}
		return is(obj, "Ready", metav1.ConditionFalse, "Suspended")
	})
	s.throughout(4*time.Second, "while suspended", func() error {
		if c.target().ResourceVersion != edited.ResourceVersion || c.issued() != 1 {
			return fmt.Errorf("the target was written, or a token issued")
		}
		return nil
	})
	c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Suspend = false })
	if obj := c.waitIssued(2); obj.Status.LastHandledRefreshRequest != "while suspended" {
		t.Errorf("lastHandledRefreshRequest is %q", obj.Status.LastHandledRefreshRequest)
	}
}

// suspended suspends a credential and waits until status says so.
func (c *credential) suspended() *v1alpha1.CDPCredential {
	c.Helper()
	c.edit(func(obj *v1alpha1.CDPCredential) { obj.Spec.Suspend = true })
	var obj *v1alpha1.CDPCredential
	c.until(patience, "it to be suspended", func() error {
		obj = c.object()
		if obj.Status.ObservedGeneration != obj.Generation {
			return errNotYet
		}
		return is(obj, "Ready", metav1.ConditionTrue, "Suspended")
	})
	return obj
}

// TestReadyEndsWithTheToken lets a token expire while the endpoint fails: Ready must turn False at once.
func TestReadyEndsWithTheToken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.endpoints.SetBehaviour(exchangetest.Behaviour{Lifetime: 15 * time.Second})
	c := s.ready("etl")
	s.endpoints.SetBehaviour(exchangetest.Behaviour{Fault: func(exchangetest.Request) *exchangetest.Fault { return exchangetest.Answer(500) }})
	expires := c.object().Status.TokenExpirationTime.Time
	s.until(patience, "Ready to end", func() error {
		return is(c.object(), "Ready", metav1.ConditionFalse, "TokenExpired")
	})
	ready := meta.FindStatusCondition(c.object().Status.Conditions, "Ready")
	if late := ready.LastTransitionTime.Sub(expires); late < 0 || late > 3*time.Second {
		t.Errorf("Ready turned False %s after the expiry", late)
	}
	if c.token() == "" {
		t.Error("the expired token is gone")
	}
	s.endpoints.SetBehaviour(exchangetest.Behaviour{})
	c.waitIssued(2)
}
