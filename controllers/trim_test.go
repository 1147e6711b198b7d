package controllers

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestTrimMetadata: kubectl's copy of what was applied has a Secret's data in clear, and must not be in memory. All that passes read stays.
func TestTrimMetadata(t *testing.T) {
	t.Parallel()
	secret := secretMetadata("marketing", "etl-client")
	secret.UID, secret.ResourceVersion = "c", "7"
	secret.Labels = map[string]string{"team": "red"}
	secret.Annotations = map[string]string{
		"kubectl.kubernetes.io/last-applied-configuration": `{"data":{"client-secret":"czNjcmV0"}}`,
		"cdpcredentials.io/allowed-hosts":                  "auth.example.com",
		"cdpcredentials.io/state":                          "{}",
	}
	secret.OwnerReferences = ownedByUs()
	secret.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	want := secret.DeepCopy()
	want.ManagedFields = nil
	want.Annotations = map[string]string{"cdpcredentials.io/allowed-hosts": "auth.example.com", "cdpcredentials.io/state": "{}"}
	got, err := TrimMetadata(secret)
	if diff := cmp.Diff(any(want), got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	// A second time it has nothing to do.
	if again, err := TrimMetadata(got); err != nil || !cmp.Equal(any(want), again) {
		t.Errorf("the second time: %v", err)
	}
	bare := secretMetadata("marketing", "bare")
	if got, err := TrimMetadata(bare); err != nil || !cmp.Equal(any(secretMetadata("marketing", "bare")), got) {
		t.Errorf("without annotations: %v", err)
	}
}

// TestTrimCredential: of an object's own metadata only the request for a refresh is read.
func TestTrimCredential(t *testing.T) {
	t.Parallel()
	obj := steady().obj
	obj.Status.TargetName = "etl-token"
	obj.Labels = map[string]string{"argocd.argoproj.io/instance": "app"}
	obj.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	obj.Annotations = map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}", "cdpcredentials.io/refresh-requested-at": "today"}
	want := steady().obj
	want.Status.TargetName = "etl-token"
	want.Annotations = map[string]string{"cdpcredentials.io/refresh-requested-at": "today"}
	got, err := TrimCredential(obj)
	if diff := cmp.Diff(any(want), got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	// A request that is there but empty asks for nothing, and stays.
	obj.Annotations = map[string]string{"cdpcredentials.io/refresh-requested-at": "", "x": "y"}
	if _, err := TrimCredential(obj); err != nil || !cmp.Equal(obj.Annotations, map[string]string{"cdpcredentials.io/refresh-requested-at": ""}) {
		t.Errorf("got %v (%v)", obj.Annotations, err)
	}
	obj.Annotations = map[string]string{"x": "y"}
	if _, err := TrimCredential(obj); err != nil || obj.Annotations != nil {
		t.Errorf("got %v (%v)", obj.Annotations, err)
	}
}

// TestTrimOthers: what a cache also hands over stays as it is.
func TestTrimOthers(t *testing.T) {
	t.Parallel()
	tombstone := cache.DeletedFinalStateUnknown{Key: "marketing/etl", Obj: &v1alpha1.CDPCredential{}}
	for name, trim := range map[string]cache.TransformFunc{"TrimMetadata": TrimMetadata, "TrimCredential": TrimCredential} {
		if got, err := trim(tombstone); err != nil || !cmp.Equal(got, any(tombstone)) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}}}
	if got, err := TrimCredential(secret); err != nil || got != any(secret) || secret.Labels["a"] != "b" {
		t.Errorf("got %v, %v", got, err)
	}
}
