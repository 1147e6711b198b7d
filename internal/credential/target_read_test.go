// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// readTarget is a target Secret as it was written, with its record.
func readTarget() (*corev1.Secret, *PersistedState) {
	secret := &corev1.Secret{Type: corev1.SecretTypeOpaque, Data: map[string][]byte{"token": []byte("t0ken"), "authorization": []byte("Bearer t0ken")}}
	secret.Name, secret.UID, secret.ResourceVersion, secret.OwnerReferences = "etl-token", "t", "9", ownedByUs()
	rec := &PersistedState{Salt: []byte("salt"), Object: "etl"}
	rec.Keys = []string{"authorization", "token"}
	rec.TokenMAC, rec.DataMAC = rec.TokenMACOf([]byte("t0ken")), rec.DataMACOf(secret.Data, rec.Keys)
	return secret, rec
}

func TestTargetThatWasReadIsComparedWithItsRecord(t *testing.T) {
	t.Parallel()
	type found struct {
		content           Content
		foreign, unusable string
	}
	for name, tc := range map[string]struct {
		given func(*corev1.Secret, *PersistedState)
		want  found
	}{
		"as written":          {func(*corev1.Secret, *PersistedState) {}, found{ContentIntact, "", ""}},
		"a key of somebody":   {func(s *corev1.Secret, _ *PersistedState) { s.Data["password"] = nil }, found{ContentIntact, "password", ""}},
		"another key edited":  {func(s *corev1.Secret, _ *PersistedState) { s.Data["authorization"] = nil }, found{ContentEdited, "", ""}},
		"another key deleted": {func(s *corev1.Secret, _ *PersistedState) { delete(s.Data, "authorization") }, found{ContentEdited, "", ""}},
		"token edited":        {func(s *corev1.Secret, _ *PersistedState) { s.Data["token"] = []byte("x") }, found{ContentReplaced, "", ""}},
		"token emptied":       {func(s *corev1.Secret, _ *PersistedState) { s.Data["token"] = []byte{} }, found{ContentReplaced, "", ""}},
		"token deleted":       {func(s *corev1.Secret, _ *PersistedState) { delete(s.Data, "token") }, found{ContentReplaced, "", ""}},
		"life prolonged":      {func(_ *corev1.Secret, r *PersistedState) { r.ExpiresAt = at("13:00:00") }, found{ContentReplaced, "", ""}},
		"of another type":     {func(s *corev1.Secret, _ *PersistedState) { s.Type = "kubernetes.io/tls" }, found{ContentIntact, "", "is not of type Opaque"}},
		"without a type":      {func(s *corev1.Secret, _ *PersistedState) { s.Type = "" }, found{ContentIntact, "", ""}},
		"immutable":           {func(s *corev1.Secret, _ *PersistedState) { s.Immutable = new(true) }, found{ContentIntact, "", "is immutable"}},
		"not immutable":       {func(s *corev1.Secret, _ *PersistedState) { s.Immutable = new(false) }, found{ContentIntact, "", ""}},
		"being deleted":       {func(s *corev1.Secret, _ *PersistedState) { s.DeletionTimestamp = &metav1.Time{Time: time.Now()} }, found{ContentIntact, "", "is being deleted"}},
		"immutable and deleted": {func(s *corev1.Secret, _ *PersistedState) {
			s.Immutable, s.DeletionTimestamp = new(true), &metav1.Time{Time: time.Now()}
		}, found{ContentIntact, "", "is immutable"}},
	} {
		secret, rec := readTarget()
		tc.given(secret, rec)
		got := TargetSecretOf(secret, rec)
		if diff := cmp.Diff(tc.want, found{got.Content, got.ForeignKeys, got.Unusable}, cmp.AllowUnexported(found{})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if !got.Found || got.Name != "etl-token" || got.Version != "t/9" || got.Persisted != rec || got.Secret != secret {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	secret, _ := readTarget()
	if got := TargetSecretOf(secret, nil); got.Content != ContentReplaced || got.ForeignKeys != "authorization/token" {
		t.Errorf("without a record: got %+v", got)
	}
}

func TestForeignKeysAreBounded(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "k01", 16: "k16", 17: "…", 1000: "…"} {
		data := map[string][]byte{"token": nil}
		for i := range n {
			data[fmt.Sprintf("k%02d", i+1)] = nil
		}
		got := strings.Split(foreignKeys(data, &PersistedState{PersistedTarget: PersistedTarget{Keys: []string{"token"}}}), "/")
		if len(got) != min(n, 17) || got[0] != "k01" || got[len(got)-1] != want {
			t.Errorf("%d keys: got %v", n, got)
		}
	}
	for foreign, want := range map[string]string{"": "", "token": "", "password/token": "password", "a/token/b": "a/b", "tokens": "tokens"} {
		if got := Without(foreign, []string{"token", "authorization"}); got != want {
			t.Errorf("%q: got %q, want %q", foreign, got, want)
		}
	}
}

// Status names etl-token in version t/9; what this process remembers is of the same name.
func TestTargetIsRecalledByItsVersion(t *testing.T) {
	t.Parallel()
	edited := SeenTarget{Name: "etl-token", Version: "t/9", Content: ContentEdited, Unusable: "is immutable", ForeignKeys: "password"}
	for name, tc := range map[string]struct {
		seen  SeenTarget
		known bool
		given func(*State)
		want  SeenTarget
		ok    bool
	}{
		"seen":                       {edited, true, func(*State) {}, edited, true},
		"seen, another controls it":  {edited, true, controlled, SeenTarget{Name: "etl-token", Version: "t/9", Content: ContentEdited, Unusable: "is controlled by Deployment web", ForeignKeys: "password"}, true},
		"in status":                  {SeenTarget{}, false, func(*State) {}, SeenTarget{Name: "etl-token", Version: "t/9", Content: ContentIntact}, true},
		"seen in an earlier version": {SeenTarget{Version: "t/8", Content: ContentEdited}, true, func(*State) {}, SeenTarget{Name: "etl-token", Version: "t/9", Content: ContentIntact}, true},
		"in status, shared":          {SeenTarget{}, false, func(s *State) { s.Target.Persisted.Shared = true }, SeenTarget{Name: "etl-token", Version: "t/9", Content: ContentIntact, ForeignKeys: "…"}, true},
		"another version":            {SeenTarget{}, false, func(s *State) { s.Object.Status.TargetVersion = "t/8" }, SeenTarget{Name: "etl-token", Version: "t/9", Content: ContentReplaced}, false},
		"another name":               {SeenTarget{}, false, func(s *State) { s.Object.Status.TargetName = "etl-old" }, SeenTarget{Name: "etl-token", Version: "t/9", Content: ContentReplaced}, false},
		"no record":                  {SeenTarget{}, false, func(s *State) { s.Target.Persisted = nil }, SeenTarget{Name: "etl-token", Version: "t/9", Content: ContentReplaced}, false},
		"nothing is known":           {edited, false, func(s *State) { s.Object.Status.TargetVersion = "" }, SeenTarget{Name: "etl-token", Version: "t/9", Content: ContentReplaced}, false},
	} {
		s := steady()
		s.Target.Content = ContentReplaced
		s.Object.Status.TargetName, s.Object.Status.TargetVersion = "etl-token", "t/9"
		tc.given(s)
		ok := s.Target.Recall(tc.seen, tc.known, &s.Object.Status)
		if diff := cmp.Diff(tc.want, s.Target.Seen()); diff != "" || ok != tc.ok {
			t.Errorf("%s: %t, -want +got:\n%s", name, ok, diff)
		}
	}
}

func controlled(s *State) {
	s.Target.Metadata.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: "web", UID: "w", Controller: new(true)}}
}

func TestSharedTargetStaysWithoutOurKeys(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		want  string
	}{
		"shared":               {func(*State) {}, "etl-token"},
		"all keys are ours":    {func(s *State) { s.Target.ForeignKeys = "token" }, ""},
		"no foreign keys":      {func(s *State) { s.Target.ForeignKeys = "" }, ""},
		"retained":             {func(s *State) { s.Object.Spec.Target.DeletionPolicy = "Retain" }, ""},
		"another object's":     {func(s *State) { s.Target.Metadata.Annotations["cdpcredentials.io/credential"] = "web" }, ""},
		"it holds no token":    {func(s *State) { s.Target.Content, s.Target.Persisted = ContentReplaced, nil }, ""},
		"there is none":        {missing, ""},
		"only some are not us": {func(s *State) { s.Target.ForeignKeys = "token/…" }, "etl-token"},
	} {
		s := steady()
		s.Target.Persisted.Keys, s.Target.ForeignKeys = []string{"token"}, "password/token"
		tc.given(s)
		if got := SharedTarget(s); got != tc.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}
