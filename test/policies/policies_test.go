// SPDX-License-Identifier: Apache-2.0

package policies

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework/clustertest"
)

const root = "../.."

// TestPoliciesRefuseWhatTheyAreFor: each policy refuses what it is meant to refuse, accepts what it demands, and ignores objects that are older than
// it.
func TestPoliciesRefuseWhatTheyAreFor(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an API server")
	}
	cluster := clustertest.Start(t, framework.Cluster{}, "default")
	const apsis, oauth2 = "apsis: {}", "oauth2: {tokenURL: 'https://auth.example.com:8443/token'}"
	label := func(key string) map[string]string { return map[string]string{key: "allowed"} }
	both := map[string]string{"provider.cdpcredentials.io/oauth2": "allowed", "host.cdpcredentials.io/auth.example.com": "allowed"}
	auth0 := map[string]string{"provider.cdpcredentials.io/auth0": "allowed"}
	auth0Host := map[string]string{"provider.cdpcredentials.io/auth0": "allowed", "host.cdpcredentials.io/t.auth0.com": "allowed"}
	type object struct {
		labels          map[string]string
		provider, more  string
		target, refused string
	}
	for policy, objects := range map[string][]object{
		"target-suffix": {
			{nil, apsis, "", "etl-token", ""},
			{nil, apsis, "", "app-env", "spec.target.name must end in -token"},
		},
		"allowed-endpoints": {
			{nil, apsis, "", "a", "may not use the provider"},
			{label("provider.cdpcredentials.io/apsis"), apsis, "", "a", ""},
			{label("provider.cdpcredentials.io/apsis"), "apsis: {url: 'https://other.example.com'}", "", "a", "may not use the host of spec.provider;"},
			{label("provider.cdpcredentials.io/oauth2"), oauth2, "", "a", "may not use the host of spec.provider;"},
			{both, oauth2, "", "a", ""},
			{both, oauth2, "verify: {url: 'https://api.example.com/'}", "a", "may not use the host of spec.verify.url"},
			{both, oauth2, "verify: {url: 'https://auth.example.com/me'}", "a", ""},
			{auth0, "auth0: {domain: t.auth0.com, audience: x}", "", "a", "may not use the host of spec.provider.auth0.domain"},
			{auth0Host, "auth0: {domain: t.auth0.com, audience: x}", "", "a", ""},
		},
		"budget": {
			{nil, apsis, "", "a", "spec.refresh.maxPerDay must be set, to 100 at most"},
			{nil, apsis, "refresh: {maxPerDay: 101}", "a", "spec.refresh.maxPerDay must be set, to 100 at most"},
			{nil, apsis, "refresh: {maxPerDay: 100}", "a", ""},
			{nil, "basic: {}", "", "a", ""},
		},
	} {
		t.Run(policy, func(t *testing.T) {
			older := newObject(t, cluster.Client, policy, nil, apsis, "", "app-env")
			if err := cluster.Client.Create(t.Context(), older); err != nil {
				t.Fatal(err)
			}
			for _, piece := range pieces(t, policy) {
				if err := cluster.Client.Create(t.Context(), piece); err != nil {
					t.Fatal(err)
				}
			}
			refused := objects[slices.IndexFunc(objects, func(o object) bool { return o.refused != "" })]
			inForce(t, cluster.Client, newObject(t, cluster.Client, policy, refused.labels, refused.provider, refused.more, refused.target), refused.refused)
			for _, o := range objects {
				obj := newObject(t, cluster.Client, policy, o.labels, o.provider, o.more, o.target)
				err := cluster.Client.Create(t.Context(), obj)
				switch {
				case o.refused == "" && err != nil:
					t.Errorf("%+v was refused: %v", o, err)
				case o.refused != "" && (err == nil || !strings.Contains(err.Error(), o.refused)):
					t.Errorf("%+v: got %v, want a refusal", o, err)
				}
			}
			older.SetLabels(map[string]string{"a": "b"})
			if err := cluster.Client.Update(t.Context(), older); err != nil {
				t.Errorf("an older object cannot be labelled: %v", err)
			}
		})
	}
}

// newObject creates an object to which the policy applies, in a namespace of its own with these labels.
func newObject(t *testing.T, api client.Client, policy string, labels map[string]string, provider, more, target string) *unstructured.Unstructured {
	t.Helper()
	ns := &corev1.Namespace{}
	ns.GenerateName, ns.Labels = "tenant-", map[string]string{"policy": policy}
	maps.Copy(ns.Labels, labels)
	if err := api.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	obj := &unstructured.Unstructured{}
	text := "apiVersion: cdpcredentials.io/v1alpha1\nkind: CDPCredential\nmetadata: {name: etl, namespace: " + ns.Name + "}\nspec:\n  provider: {" + provider +
		"}\n  clientSecretRef: {name: etl-client}\n  target: {name: " + target + "}\n  " + more + "\n"
	if err := yaml.Unmarshal([]byte(text), &obj.Object); err != nil {
		t.Fatal(err)
	}
	return obj
}

// pieces returns the policy and its binding, restricted to the namespaces of this policy's test.
func pieces(t *testing.T, policy string) []*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "config/policies", policy, "policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var found []*unstructured.Unstructured
	for piece := range bytes.SplitSeq(content, []byte("\n---\n")) {
		obj := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(piece, &obj.Object); err != nil {
			t.Fatal(err)
		}
		if obj.GetKind() == "ValidatingAdmissionPolicyBinding" {
			if err := unstructured.SetNestedField(obj.Object, policy, "spec", "matchResources", "namespaceSelector", "matchLabels", "policy"); err != nil {
				t.Fatal(err)
			}
		}
		found = append(found, obj)
	}
	return found
}

// inForce waits until a policy refuses an object, which takes the API server a moment.
func inForce(t *testing.T, api client.Client, refused client.Object, message string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		err := api.Create(t.Context(), refused.DeepCopyObject().(client.Object), client.DryRunAll)
		if err != nil && strings.Contains(err.Error(), message) {
			return
		}
	}
	t.Fatalf("the policy is not in force: no refusal with %q", message)
}
