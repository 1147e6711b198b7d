// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
)

// TestRefusedDeleteHidesNothing: the API server refuses to delete the previous target. One event says so, and the delete is retried; what happens
// meanwhile is still reported, so that rejected credentials are not sent again and again.
func TestRefusedDeleteHidesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var refusing atomic.Bool
	var tries atomic.Int32
	refusing.Store(true)
	s.operate(assembly{intercept: interceptor.Funcs{
		Delete: func(ctx context.Context, inner client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			tries.Add(1)
			if refusing.Load() {
				return apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, obj.GetName(), errors.New("needle of a policy"))
			}
			return inner.Delete(ctx, obj, opts...)
		},
	}})
	c := s.ready("etl")
	c.edit(renamed)
	s.until(patience, "status to name the new target", func() error { return c.healthy(c.object()) })
	s.until(patience, "the event", func() error {
		if s.countEvents("etl", "StaleTarget") == 0 {
			return errNotYet
		}
		return nil
	})

	s.endpoints.Unregister(c.known.System, c.known.ID)
	attempts := c.attempts()
	c.request("now")
	c.waitFailed("Stalled", "CredentialsRejected")
	seen := tries.Load()
	s.until(patience, "another try", func() error {
		if tries.Load() <= seen {
			return errNotYet
		}
		return nil
	})
	s.throughout(3*time.Second, "the reported failure stays", func() error {
		if made := c.attempts() - attempts; made != 1 {
			return fmt.Errorf("the credentials were sent %d times", made)
		}
		return failed(c.object(), "Stalled", "CredentialsRejected")
	})
	if n := s.countEvents("etl", "StaleTarget"); n != 1 {
		t.Errorf("%d events report the refused delete, want one", n)
	}
	refusing.Store(false)
	s.until(patience, "the old target to go", func() error {
		if s.secretOf("etl-token") != nil {
			return errNotYet
		}
		return nil
	})
}

// TestImmutableTargetStaysUnusableAfterARestart: a target that became immutable stays TargetUnusable for the next process.
func TestImmutableTargetStaysUnusableAfterARestart(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	o := s.operate(assembly{})
	c := s.ready("etl")
	s.editSecret("etl-token", func(secret *corev1.Secret) { secret.Immutable = new(true) })
	c.waitFailed("Stalled", "TargetUnusable", "is immutable")
	s.quiet("before")
	o.stop()
	s.operate(assembly{})
	s.quiet("after")
	s.must(failed(c.object(), "Stalled", "TargetUnusable"))
}
