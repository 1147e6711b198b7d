// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestRestoreFromBackup backs up what docs/backup.md says, deletes it, restores it as Velero does, and counts the tokens that this costs.
func TestRestoreFromBackup(t *testing.T) {
	t.Parallel()
	secretsFirst := []string{"client", "target", "object"} // Velero's order
	for state, tc := range map[string]struct {
		// before runs between the first token and the backup, after between the backup and the loss.
		before, after func(*credential)
		order         []string
		elsewhere     bool // restore into another namespace
		status        bool // restore status, too
		issued        int  // tokens that the restore costs
	}{
		"Secrets before objects":    {order: secretsFirst},
		"into another namespace":    {order: secretsFirst, elsewhere: true},
		"with status":               {order: secretsFirst, status: true},
		"renewed since":             {order: secretsFirst, after: renewed},
		"after a requested refresh": {order: secretsFirst, before: renewed},
		"without the target":        {order: []string{"client", "object"}, issued: 1},
		"object first":              {order: []string{"object", "client", "target"}, issued: 1},
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			c := newStage(t).ready("etl")
			if tc.before != nil {
				tc.before(c)
			}
			saved := c.backUp()
			if tc.after != nil {
				tc.after(c)
			}
			issued := c.issued()
			c.lose()
			if tc.elsewhere {
				c = c.moved()
			}
			for i, what := range tc.order {
				c.restore(saved[what], tc.status)
				if what == "client" && tc.order[0] == "object" {
					c.waitIssued(issued + 1) // before the rest of the backup is restored
				}
				if what == "object" && i == len(tc.order)-1 {
					c.waitOwned()
				}
			}
			if tc.issued > 0 || tc.after == nil {
				c.waitIssued(issued + tc.issued)
			}
			if got := c.issued() - issued; got != tc.issued {
				t.Errorf("the restore cost %d tokens, want %d", got, tc.issued)
			}
		})
	}
}

// renewed lets the credential get another token, as by a renewal.
func renewed(c *credential) {
	c.Helper()
	before := c.lastToken()
	c.settled()
	c.request("again")
	c.waitRefreshed(before)
}

var kinds = map[string]schema.GroupVersionKind{
	"client": {Version: "v1", Kind: "Secret"}, "target": {Version: "v1", Kind: "Secret"}, "object": v1alpha1.GroupVersion.WithKind("CDPCredential"),
}

// backUp returns the object and its Secrets.
func (c *credential) backUp() map[string]*unstructured.Unstructured {
	c.Helper()
	names := map[string]string{"client": c.name + "-client", "target": c.name + "-token", "object": c.name}
	saved := map[string]*unstructured.Unstructured{}
	for what, kind := range kinds {
		saved[what] = &unstructured.Unstructured{}
		saved[what].SetGroupVersionKind(kind)
		c.must(c.Client.Get(c.Context(), client.ObjectKey{Namespace: c.namespace, Name: names[what]}, saved[what]))
	}
	return saved
}

// lose deletes everything, the object first, or the operator would notice the missing target.
func (c *credential) lose() {
	c.Helper()
	c.must(c.Client.Delete(c.Context(), c.object()))
	for _, name := range []string{c.name + "-token", c.name + "-client"} {
		c.must(c.Client.Delete(c.Context(), c.secretOf(name)))
	}
}

// moved returns the same credential in a new namespace.
func (c *credential) moved() *credential {
	c.Helper()
	elsewhere := *c.stage
	var err error
	elsewhere.namespace, err = c.cluster.namespace(c.Context(), nameOf(c.T))
	c.must(err)
	c.T.Cleanup(elsewhere.leave)
	return &credential{stage: &elsewhere, name: c.name, known: c.known}
}

// restore creates an object as Velero does: without the fields that an API server assigns, without owners and status, and with Velero's labels. An
// existing object is left alone.
func (c *credential) restore(saved *unstructured.Unstructured, withStatus bool) {
	c.Helper()
	obj := saved.DeepCopy()
	for _, field := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "ownerReferences"} {
		unstructured.RemoveNestedField(obj.Object, "metadata", field)
	}
	labels := obj.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels["velero.io/backup-name"], labels["velero.io/restore-name"] = "nightly", "nightly-1"
	obj.SetLabels(labels)
	obj.SetNamespace(c.namespace)
	status, hadStatus := obj.Object["status"]
	if hadStatus {
		delete(obj.Object, "status")
	}
	err := c.Client.Create(c.Context(), obj)
	if apierrors.IsAlreadyExists(err) {
		return
	}
	c.must(err)
	if hadStatus && withStatus {
		patch := obj.DeepCopy()
		patch.Object["status"] = status
		c.must(c.Client.Status().Patch(c.Context(), patch, client.MergeFrom(obj)))
	}
}

// waitOwned waits until the restored object owns the restored target.
func (c *credential) waitOwned() {
	c.Helper()
	c.until(patience, "the new owner", func() error {
		target := c.target()
		if target == nil {
			return errNotYet
		}
		if owners := target.OwnerReferences; len(owners) != 1 || owners[0].UID != c.object().UID {
			return fmt.Errorf("the owners are %v", owners)
		}
		return nil
	})
}
