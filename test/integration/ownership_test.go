// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestSharedTargetGoesToOneObject: two objects that are created at the same time name the same target. One gets it and keeps it; the other reports
// whose it is.
func TestSharedTargetGoesToOneObject(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var both []*credential
	for _, name := range []string{"one", "two"} {
		c, obj := s.prepare(name)
		obj.Spec.Target.Name = "shared-token"
		both = append(both, c)
		go func() {
			if err := s.Client.Create(t.Context(), obj); err != nil {
				t.Error(err)
			}
		}()
	}
	var winner, loser *credential
	s.until(patience, "one to win", func() error {
		owner := ""
		if secret := s.secretOf("shared-token"); secret != nil {
			owner = secret.Annotations["cdpcredentials.io/credential"]
		}
		switch owner {
		case "one":
			winner, loser = both[0], both[1]
		case "two":
			winner, loser = both[1], both[0]
		default:
			return errNotYet
		}
		return nil
	})
	loser.waitFailed("Stalled", "TargetNotOwned", "Secret shared-token is the target of the CDPCredential "+winner.name)
	s.until(patience, "the winner to be ready", func() error { return winner.healthy(winner.object()) })
	version := s.secretOf("shared-token").ResourceVersion
	s.throughout(4*time.Second, "the winner keeps it", func() error {
		if s.secretOf("shared-token").ResourceVersion != version {
			return errors.New("the target was written")
		}
		return errors.Join(winner.healthy(winner.object()), failed(loser.object(), "Stalled", "TargetNotOwned"))
	})
	if winner.issued() != 1 || loser.issued() > 1 {
		t.Errorf("the winner got %d tokens, the loser %d", winner.issued(), loser.issued())
	}

	// Once the winner and its Secret are gone, the loser takes over.
	s.must(s.Client.Delete(t.Context(), winner.object()))
	s.must(s.Client.Delete(t.Context(), s.secretOf("shared-token")))
	s.until(patience, "the loser to take over", func() error { return loser.healthy(loser.object()) })
}

// TestRaceForATargetLeavesTheOthersSecret lets somebody else create the target Secret just before the operator does.
func TestRaceForATargetLeavesTheOthersSecret(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var once sync.Once
	s.operate(assembly{intercept: interceptor.Funcs{
		Create: func(ctx context.Context, inner client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			var err error
			once.Do(func() {
				err = s.Client.Create(ctx, &corev1.Secret{ObjectMeta: s.meta(obj.GetName()), StringData: map[string]string{"token": "theirs"}})
			})
			return errors.Join(err, inner.Create(ctx, obj, opts...))
		},
	}})
	c, obj := s.prepare("etl")
	s.must(s.Client.Create(t.Context(), obj))
	c.waitFailed("Stalled", "TargetNotOwned", "kubectl annotate secret")
	foreign := c.target()
	if string(foreign.Data["token"]) != "theirs" || len(foreign.Annotations) > 0 || len(foreign.OwnerReferences) > 0 {
		t.Errorf("the foreign Secret was written: %v", foreign.ObjectMeta)
	}
	s.must(s.Client.Delete(t.Context(), foreign))
	s.until(patience, "a token", func() error { return c.healthy(c.object()) })
}

// TestHandedOverSecretKeepsForeignKeys sets the annotation by hand: from then on the Secret is the object's, and foreign keys in it stay.
func TestHandedOverSecretKeepsForeignKeys(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	foreign := &corev1.Secret{ObjectMeta: s.meta("etl-token"), StringData: map[string]string{"token": "old", "theirs": "kept"}}
	foreign.Labels, foreign.Annotations = map[string]string{"app": "web"}, map[string]string{"note": "kept"}
	s.must(s.Client.Create(t.Context(), foreign))
	c, obj := s.prepare("etl")
	s.must(s.Client.Create(t.Context(), obj))
	c.waitFailed("Stalled", "TargetNotOwned", "unless it holds keys of others", "kubectl annotate secret -n "+s.namespace+" etl-token --overwrite 'cdpcredentials.io/credential=etl'")
	if c.attempts() != 0 {
		t.Errorf("%d exchanges were made for a target that cannot be written", c.attempts())
	}
	s.editSecret("etl-token", func(secret *corev1.Secret) { secret.Annotations["cdpcredentials.io/credential"] = "etl" })
	c.waitIssued(1)
	got := c.target()
	want := map[string][]byte{"token": []byte(c.lastToken()), "theirs": []byte("kept")}
	if diff := cmp.Diff(want, got.Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if got.UID != foreign.UID || got.Labels["app"] != "web" || got.Annotations["note"] != "kept" || len(got.OwnerReferences) != 0 {
		t.Errorf("metadata: %v", got.ObjectMeta)
	}

	// Deleting the object removes what is ours and leaves what is foreign.
	s.must(s.Client.Delete(t.Context(), c.object()))
	s.until(patience, "the token to be taken out", func() error {
		if _, there := c.target().Data["token"]; there {
			return errNotYet
		}
		return nil
	})
	got = c.target()
	if diff := cmp.Diff(map[string][]byte{"theirs": []byte("kept")}, got.Data); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"note": "kept"}, got.Annotations); diff != "" || !cmp.Equal(got.Labels, map[string]string{"app": "web"}) {
		t.Errorf("labels %v, annotations (-want +got):\n%s", got.Labels, diff)
	}
}

// TestForeignKeysTakeTheOwnerReferenceOff: while a target has a foreign key, it has no owner reference; a previous target with such a key is not
// deleted.
func TestForeignKeysTakeTheOwnerReferenceOff(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	c := s.ready("etl")
	owners := func(want int) func() error {
		return func() error {
			if n := len(c.target().OwnerReferences); n != want {
				return fmt.Errorf("%d owner references", n)
			}
			return nil
		}
	}
	s.until(patience, "an owner", owners(1))
	s.editSecret("etl-token", func(secret *corev1.Secret) { secret.Data["theirs"] = []byte("kept") })
	s.until(patience, "no owner", owners(0))
	s.editSecret("etl-token", func(secret *corev1.Secret) { delete(secret.Data, "theirs") })
	s.until(patience, "an owner again", owners(1))
	s.editSecret("etl-token", func(secret *corev1.Secret) { secret.Data["theirs"] = []byte("kept") })
	s.until(patience, "no owner", owners(0))
	c.edit(renamed)
	s.until(patience, "the token to move", func() error { return c.healthy(c.object()) })
	s.until(patience, "the old one to be left", func() error {
		if diff := cmp.Diff(map[string][]byte{"theirs": []byte("kept")}, c.target().Data); diff != "" {
			return errors.New(diff)
		}
		return nil
	})
	if c.issued() != 1 {
		t.Errorf("%d tokens were issued", c.issued())
	}
}

// TestRestoreFromBackupIssuesNothing creates the object again, with another UID, besides its previous Secret: no token is issued, and the owner
// reference is corrected.
func TestRestoreFromBackupIssuesNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	c := s.ready("etl")
	obj := c.object()
	s.must(s.Client.Delete(t.Context(), obj))
	again := &v1alpha1.CDPCredential{ObjectMeta: s.meta("etl"), Spec: obj.Spec}
	s.must(s.Client.Create(t.Context(), again))
	c.waitIssued(1)
	s.until(patience, "the new owner", func() error {
		owners := c.target().OwnerReferences
		if len(owners) != 1 || owners[0].UID != again.UID {
			return fmt.Errorf("the owners are %v", owners)
		}
		return nil
	})
	c.waitIssued(1)
}

// TestFailedWriteKeepsTheIssuedToken lets the writes after an exchange fail twice each: the issued token is kept.
func TestFailedWriteKeepsTheIssuedToken(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	broken := errors.New("the API server is unavailable")
	var creates, patches atomic.Int32
	s.operate(assembly{intercept: interceptor.Funcs{
		Create: func(ctx context.Context, inner client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			if creates.Add(1) <= 2 {
				return broken
			}
			return inner.Create(ctx, obj, opts...)
		},
		SubResourcePatch: func(ctx context.Context, inner client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			if patches.Add(1) <= 2 {
				return broken
			}
			return inner.SubResource(sub).Patch(ctx, obj, patch, opts...)
		},
	}})
	s.ready("etl")
	if creates.Load() != 3 || patches.Load() != 3 {
		t.Errorf("%d creates and %d status patches were tried, want 3 and 3", creates.Load(), patches.Load())
	}
}

// TestTerminatingNamespaceCostsOneRequest deletes a namespace with its content, Secrets first, as the namespace controller does: one request finds
// that out, and then nothing is requested, written, reported or issued.
func TestTerminatingNamespaceCostsOneRequest(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	o := s.operate(assembly{})
	all := []*credential{s.ready("a"), s.ready("b"), s.ready("c"), s.ready("d")}
	s.quiet("birth")
	mark := o.requests.len()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	s.must(s.Client.Delete(t.Context(), namespace)) // it stays Terminating, because nothing finalizes it here
	for i, c := range all {
		names := []string{c.name + "-client", c.name + "-token"}
		if i%2 > 0 {
			slices.Reverse(names)
		}
		for _, name := range names {
			s.must(s.Client.Delete(t.Context(), s.secretOf(name)))
		}
	}
	s.throughout(5*time.Second, "in a terminating namespace", func() error {
		asked := o.requests.since(mark)
		if len(asked) > 1 || len(asked) == 1 && asked[0] != "create secrets" {
			return fmt.Errorf("the operator requested %q", asked)
		}
		return nil
	})
	for _, c := range all {
		if c.issued() != 1 {
			t.Errorf("%s: %d tokens were issued", c.name, c.issued())
		}
		s.must(s.Client.Delete(t.Context(), c.object()))
	}
	s.throughout(2*time.Second, "without its objects", func() error {
		if asked := o.requests.since(mark); len(asked) > 1 {
			return fmt.Errorf("the operator requested %q", asked)
		}
		return nil
	})
}

// TestObjectKeptByAFinalizerIsRenewed deletes an object that another controller's finalizer keeps: pods still use its token, so it is served until it
// is gone.
func TestObjectKeptByAFinalizerIsRenewed(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	c := s.ready("etl")
	c.edit(func(obj *v1alpha1.CDPCredential) { obj.Finalizers = []string{"example.com/keep"} })
	s.must(s.Client.Delete(t.Context(), c.object()))
	c.settled()
	c.request("now")
	c.waitIssued(2)
	c.settled()
	s.must(s.Client.Delete(t.Context(), c.target()))
	c.waitIssued(3)
	s.editSecret("etl-token", func(secret *corev1.Secret) { delete(secret.Labels, "app.kubernetes.io/managed-by") })
	s.until(patience, "the label", func() error {
		if c.target().Labels["app.kubernetes.io/managed-by"] == "" {
			return errNotYet
		}
		return nil
	})
	s.must(s.Client.Delete(t.Context(), s.secretOf("etl-client")))
	c.waitFailed("Stalled", "SecretNotFound")
	c.edit(func(obj *v1alpha1.CDPCredential) { obj.Finalizers = nil })
	err := s.Client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "etl"}, &v1alpha1.CDPCredential{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the object still exists: %v", err)
	}
}
