// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const others = `{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"y"}`
const ours = `{"apiVersion":"cdpcredentials.io/v1alpha1","kind":"CDPCredential","name":"etl","uid":"` + uid + `","controller":true}`

func TestTargetPatchReplacesWhatWeWroteBefore(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*TargetSecret)
		want  string
	}{
		"our own": {
			func(*TargetSecret) {},
			`{"data":{"old":null,"token":"dDBrZW4="},"metadata":{"annotations":{"cdpcredentials.io/credential":"etl","cdpcredentials.io/expires-at":null,"was":null},` +
				`"labels":{"team":"red","was":null},"ownerReferences":[` + others + `,` + ours + `],"resourceVersion":"9","uid":"t"}}`,
		},
		"handed over": {
			func(s *TargetSecret) { s.Persisted = nil },
			`{"data":{"token":"dDBrZW4="},"metadata":{"annotations":{"cdpcredentials.io/credential":"etl","cdpcredentials.io/expires-at":null},` +
				`"labels":{"team":"red"},"ownerReferences":[` + others + `,` + ours + `],"resourceVersion":"9","uid":"t"}}`,
		},
	} {
		s := steady()
		foreignMetadata(s)
		rec := s.Target.Persisted
		rec.Keys, rec.Labels, rec.Annotations = []string{"old", "token"}, []string{"team", "was"}, []string{"was"}
		tc.given(&s.Target)
		want := TargetMetadata{Labels: map[string]string{"team": "red"}, Annotations: map[string]string{"cdpcredentials.io/credential": "etl"}, Owner: &ownedByUs()[0]}
		got, err := s.Target.Patch(want, map[string][]byte{"token": []byte("t0ken")})
		if diff := cmp.Diff(tc.want, string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
		}
	}
}

func TestNewTargetIsOpaqueAndOwned(t *testing.T) {
	t.Parallel()
	s := steady()
	want := TargetMetadata{Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"}, Owner: &ownedByUs()[0]}
	got := NewTarget(s.Object, want, map[string][]byte{"token": []byte("t0ken")})
	meta := metav1.ObjectMeta{Namespace: "marketing", Name: "etl-token", Labels: want.Labels, Annotations: want.Annotations, OwnerReferences: ownedByUs()}
	if diff := cmp.Diff(meta, got.ObjectMeta); diff != "" || got.Type != "Opaque" || string(got.Data["token"]) != "t0ken" || len(got.Data) != 1 {
		t.Errorf("%s, %v, -want +got:\n%s", got.Type, got.Data, diff)
	}
}

func TestWithdrawalPatchRemovesAllThatIsOurs(t *testing.T) {
	t.Parallel()
	s := steady()
	foreignMetadata(s)
	rec := s.Target.Persisted
	rec.Keys, rec.Labels, rec.Annotations = []string{"token"}, []string{"app.kubernetes.io/managed-by"}, []string{"checksum"}
	got, err := WithdrawalPatch(&s.Target.Metadata, rec)
	want := `{"data":{"token":null},"metadata":{"annotations":{"cdpcredentials.io/credential":null,"cdpcredentials.io/expires-at":null,"cdpcredentials.io/state":null,"checksum":null},` +
		`"labels":{"app.kubernetes.io/managed-by":null},"ownerReferences":[` + others + `],"resourceVersion":"9","uid":"t"}}`
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	if len(rec.Annotations) != 1 {
		t.Errorf("the record has changed: %v", rec.Annotations)
	}
}

func TestOwnerRemovalPatchLeavesOtherOwners(t *testing.T) {
	t.Parallel()
	s := steady()
	foreignMetadata(s)
	got, err := OwnerRemovalPatch(&s.Target.Metadata)
	want := `{"metadata":{"ownerReferences":[` + others + `],"resourceVersion":"9","uid":"t"}}`
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	s.Target.Metadata.OwnerReferences = s.Target.Metadata.OwnerReferences[:1]
	if got, err := OwnerRemovalPatch(&s.Target.Metadata); got != nil || err != nil {
		t.Errorf("it is not ours, and there is a patch: %s, %v", got, err)
	}
}
