// SPDX-License-Identifier: Apache-2.0

package slimcache

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func noTargetKey(string) bool { return false }

func secretMetadata(namespace, name string) *metav1.PartialObjectMetadata {
	metadata := &metav1.PartialObjectMetadata{}
	metadata.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	metadata.Namespace, metadata.Name = namespace, name
	return metadata
}

func owners() []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: "cdpcredentials.io/v1alpha1", Kind: "CDPCredential", Name: "etl", UID: "uid", Controller: new(true)}}
}

func credential() *v1alpha1.CDPCredential {
	obj := &v1alpha1.CDPCredential{ObjectMeta: metav1.ObjectMeta{Namespace: "marketing", Name: "etl", UID: "uid", Generation: 1}}
	obj.Spec.Provider.Apsis = &v1alpha1.Apsis{}
	obj.Spec.ClientSecretRef.Name, obj.Spec.Target.Name = "etl-client", "etl-token"
	return obj
}

// TestSecretMetadata: kubectl's copy of what was applied has a Secret's data in clear, and must not be in memory. All that passes read stays.
func TestSecretMetadata(t *testing.T) {
	t.Parallel()
	full := func(annotations map[string]string) *metav1.PartialObjectMetadata {
		secret := secretMetadata("marketing", "etl-token")
		secret.UID, secret.ResourceVersion, secret.GenerateName, secret.Finalizers = "c", "7", "etl-", []string{"example.com/keep"}
		secret.CreationTimestamp = metav1.NewTime(time.Date(2026, 11, 2, 11, 0, 0, 0, time.UTC))
		secret.Labels = map[string]string{"team": "red", "example.com/by": "others", "app.kubernetes.io/managed-by": "cdp-credential-operator"}
		secret.Annotations = annotations
		secret.Annotations["kubectl.kubernetes.io/last-applied-configuration"] = `{"data":{"client-secret":"czNjcmV0"}}`
		secret.OwnerReferences = owners()
		secret.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
		return secret
	}
	target := secretMetadata("marketing", "etl-token")
	target.UID, target.ResourceVersion, target.Labels, target.OwnerReferences = "c", "7", map[string]string{"team": "red", "app.kubernetes.io/managed-by": "cdp-credential-operator"}, owners()
	target.Annotations = map[string]string{"cdpcredentials.io/credential": "etl", "cdpcredentials.io/state": "{}", "reloader.stakater.com/match": "true", "opened.example.com/x": "y"}
	clientSecret := secretMetadata("marketing", "etl-token")
	clientSecret.UID, clientSecret.ResourceVersion = "c", "7"
	clientSecret.Annotations = map[string]string{"cdpcredentials.io/allowed-hosts": "auth.example.com", "cdpcredentials.io/allow-basic": "true"}
	unrelated := clientSecret.DeepCopy()
	unrelated.Annotations = nil
	trim := SecretMetadata(func(key string) bool {
		return key == "team" || key == "reloader.stakater.com/match" || key == "opened.example.com/x"
	})
	for name, tc := range map[string]struct{ given, want *metav1.PartialObjectMetadata }{
		"target": {full(map[string]string{
			"cdpcredentials.io/credential": "etl", "cdpcredentials.io/state": "{}", "example.com/by": "others", "reloader.stakater.com/match": "true", "opened.example.com/x": "y",
		}), target},
		"client Secret": {full(map[string]string{
			"cdpcredentials.io/allowed-hosts": "auth.example.com", "cdpcredentials.io/allow-basic": "true", "team": "others",
		}), clientSecret},
		"unrelated": {full(map[string]string{"example.com/by": "others"}), unrelated},
		"bare":      {secretMetadata("marketing", "bare"), secretMetadata("marketing", "bare")},
	} {
		got, err := trim(tc.given)
		if diff := cmp.Diff(any(tc.want), got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
		}
		// A second time it has nothing to do.
		if again, err := trim(got); err != nil || !cmp.Equal(any(tc.want), again) {
			t.Errorf("%s, the second time: %v", name, err)
		}
	}
}

// TestCredentialTransformKeepsTheRefreshRequest: of an object's own metadata only the request for a refresh is read.
func TestCredentialTransformKeepsTheRefreshRequest(t *testing.T) {
	t.Parallel()
	obj := credential()
	obj.Status.TargetName = "etl-token"
	obj.Labels = map[string]string{"argocd.argoproj.io/instance": "app"}
	obj.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	obj.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}", "cdpcredentials.io/refresh-requested-at": "today"}
	want := credential()
	want.Status.TargetName = "etl-token"
	want.Annotations = map[string]string{"cdpcredentials.io/refresh-requested-at": "today"}
	trim := Credentials()
	got, err := trim(obj)
	if diff := cmp.Diff(any(want), got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	// A request that is there but empty asks for nothing, and stays.
	obj.Annotations = map[string]string{"cdpcredentials.io/refresh-requested-at": "", "x": "y"}
	if _, err := trim(obj); err != nil || !cmp.Equal(obj.Annotations, map[string]string{"cdpcredentials.io/refresh-requested-at": ""}) {
		t.Errorf("got %v (%v)", obj.Annotations, err)
	}
	obj.Annotations = map[string]string{"x": "y"}
	if _, err := trim(obj); err != nil || obj.Annotations != nil {
		t.Errorf("got %v (%v)", obj.Annotations, err)
	}
}

// TestTransformsLeaveOthersAlone: what a cache also hands over stays as it is.
func TestTransformsLeaveOthersAlone(t *testing.T) {
	t.Parallel()
	tombstone := cache.DeletedFinalStateUnknown{Key: "marketing/etl", Obj: &v1alpha1.CDPCredential{}}
	for name, trim := range map[string]cache.TransformFunc{"SecretMetadata": SecretMetadata(noTargetKey), "Credentials": Credentials()} {
		if got, err := trim(tombstone); err != nil || !cmp.Equal(got, any(tombstone)) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}}}
	if got, err := Credentials()(secret); err != nil || got != any(secret) || secret.Labels["a"] != "b" {
		t.Errorf("got %v, %v", got, err)
	}
}
