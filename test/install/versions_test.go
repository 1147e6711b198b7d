// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestSecondVersionNeedsNoWebhook goes through the migration of docs/support.md, from v1alpha1 to a v1beta1 with the same schema: an object can be
// read and written as both, and neither the new stored version nor the rewrite changes its generation, on which the operator relies.
func TestSecondVersionNeedsNoWebhook(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	r.sh("make install && kubectl wait --for=condition=Established --timeout=1m " + crd)
	uid := r.credential()
	const seen = "kubectl get -o jsonpath={.metadata.uid}/{.metadata.generation} cdpcredentials."
	before := r.sh(seen + "v1alpha1.cdpcredentials.io etl")

	// Release n+1: v1beta1 is served.
	r.versions(func(versions []any) []any {
		newer := runtime.DeepCopyJSON(versions[0].(map[string]any))
		newer["name"], newer["storage"] = "v1beta1", false
		return append(versions, newer)
	})
	r.sh("until kubectl get cdpcredentials.v1beta1.cdpcredentials.io etl; do sleep 0.2; done")
	if got := r.sh(seen + "v1beta1.cdpcredentials.io etl"); got != before {
		t.Errorf("as v1beta1 it is %s, want %s", got, before)
	}
	r.sh(`kubectl get -o yaml cdpcredentials.v1alpha1.cdpcredentials.io etl | sed 's|^apiVersion: .*|apiVersion: cdpcredentials.io/v1beta1|' | kubectl apply --server-side --force-conflicts --validate=strict -f -`)
	if got := r.sh(seen + "v1alpha1.cdpcredentials.io etl"); got != before {
		t.Errorf("applied as v1beta1 it is %s, want %s", got, before)
	}

	// Release n+2: v1beta1 is stored, and v1alpha1 is deprecated.
	r.versions(func(versions []any) []any {
		older, newer := versions[0].(map[string]any), versions[1].(map[string]any)
		older["storage"], older["deprecated"], newer["storage"] = false, true, true
		return versions
	})
	r.sh(`until kubectl get cdpcredentials.v1alpha1.cdpcredentials.io 2>&1 | grep 'cdpcredentials.io/v1alpha1 CDPCredential is deprecated'; do sleep 0.2; done`)
	r.sh(command(t, "docs/support.md", "TestSecondVersionNeedsNoWebhook", "## From v1alpha1 to v1beta1"))
	if got := r.sh(seen + "v1beta1.cdpcredentials.io etl"); got != before {
		t.Errorf("rewritten it is %s, want %s", got, before)
	}

	// Release n+5: v1alpha1 is gone.
	const stored = "kubectl get -o jsonpath={.status.storedVersions} " + crd
	if got := r.sh(stored); got != `["v1alpha1","v1beta1"]` {
		t.Errorf("stored versions: %s", got)
	}
	r.sh(`kubectl patch --subresource=status --type=merge ` + crd + ` -p '{"status": {"storedVersions": ["v1beta1"]}}'`)
	r.versions(func(versions []any) []any { return versions[1:] })
	r.sh("until ! kubectl get cdpcredentials.v1alpha1.cdpcredentials.io etl; do sleep 0.2; done")
	r.keeps(uid)
}

// versions changes the CRD's versions.
func (r *reader) versions(change func([]any) []any) {
	r.Helper()
	definition := &unstructured.Unstructured{}
	definition.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	ctx := context.WithoutCancel(r.T.Context())
	if err := r.Client.Get(ctx, client.ObjectKey{Name: strings.TrimPrefix(crd, "crd/")}, definition); err != nil {
		r.Fatal(err)
	}
	versions, _, err := unstructured.NestedSlice(definition.Object, "spec", "versions")
	if err == nil {
		err = unstructured.SetNestedSlice(definition.Object, change(versions), "spec", "versions")
	}
	if err == nil {
		err = r.Client.Update(ctx, definition)
	}
	if err != nil {
		r.Fatal(err)
	}
}

// command returns the first block of a page's section that a test runs.
func command(t *testing.T, page, test, section string) string {
	t.Helper()
	_, after, _ := strings.Cut(read(t, page), section+"\n")
	_, after, found := strings.Cut(after, "<!-- run by: "+test+" -->\n```sh\n")
	block, _, ended := strings.Cut(after, "```\n")
	if !found || !ended {
		t.Fatalf("%s has no block that %s runs", page, test)
	}
	return block
}
