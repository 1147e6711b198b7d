// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestDeletedObjectIsServedUnderAForeignFinalizer: an object that is being deleted is served as long as somebody else's finalizer keeps it. What the garbage collector puts there is none.
func TestDeletedObjectIsServedUnderAForeignFinalizer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		deleted    bool
		finalizers []string
		want       bool
	}{
		"alive":                           {false, nil, false},
		"alive, with a finalizer":         {false, []string{"example.com/keep"}, false},
		"deleted":                         {true, nil, true},
		"deleted in the foreground":       {true, []string{"foregroundDeletion"}, true},
		"deleted, its Secret orphaned":    {true, []string{"orphan"}, true},
		"kept":                            {true, []string{"example.com/keep"}, false},
		"kept, deleted in the foreground": {true, []string{"foregroundDeletion", "example.com/keep"}, false},
	} {
		obj := &v1alpha1.CDPCredential{}
		obj.Finalizers = tc.finalizers
		if tc.deleted {
			obj.DeletionTimestamp = new(metav1.NewTime(at("11:00:00")))
		}
		if got := Leaving(obj); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// TestHasLostSecretAsksOnlyForNews: only what an object had, and of which nothing is told yet, is worth the question whether its namespace is being deleted.
func TestHasLostSecretAsksOnlyForNews(t *testing.T) {
	t.Parallel()
	had := func(s *State) { written(s); s.SavedStatus = s.Object.Status }
	for name, tc := range map[string]struct {
		given func(*State)
		want  bool
	}{
		"all is well":                {had, false},
		"a renewal":                  {func(s *State) { had(s); s.Now = at("11:50:00") }, false},
		"the target is gone":         {func(s *State) { had(s); missing(s) }, true},
		"the token was edited":       {func(s *State) { had(s); holding(replacedContent)(s) }, false},
		"the client Secret is gone":  {func(s *State) { had(s); s.Client = ClientSecret{} }, true},
		"it is told already":         {func(s *State) { had(s); s.Client = ClientSecret{}; stalledBefore("SecretNotFound")(s) }, false},
		"a new object":               {missing, false},
		"a new one without a client": {func(s *State) { missing(s); s.Client = ClientSecret{} }, false},
		"consent is gone":            {func(s *State) { had(s); s.Client.AllowedHosts = "" }, false},
	} {
		s := steady()
		tc.given(s)
		if got := HasLostSecret(s, Decide(s)); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestObjectIsIndexedByItsSecrets(t *testing.T) {
	t.Parallel()
	for status, want := range map[string][]string{"": {"etl-client", "etl-token"}, "etl-token": {"etl-client", "etl-token"}, "etl-old": {"etl-client", "etl-token", "etl-old"}} {
		s := steady()
		s.Object.Status.TargetName = status
		if diff := cmp.Diff(want, SecretNames(s.Object)); diff != "" {
			t.Errorf("status names %q: -want +got:\n%s", status, diff)
		}
	}
}

func TestTargetIsIndexedByItsController(t *testing.T) {
	t.Parallel()
	s := steady()
	if diff := cmp.Diff([]string{uid}, ControllerUID(&s.Target.Metadata)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s.Target.Metadata.OwnerReferences[0].Kind = "Deployment"
	if got := ControllerUID(&s.Target.Metadata); got != nil {
		t.Errorf("another kind: got %v", got)
	}
	s.Target.Metadata.OwnerReferences = nil
	if got := ControllerUID(&s.Target.Metadata); got != nil {
		t.Errorf("none: got %v", got)
	}
}
