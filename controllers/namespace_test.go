package controllers

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

// TestLeaving: an object that is being deleted is served as long as somebody else's finalizer keeps it. What the garbage collector puts there is none.
func TestLeaving(t *testing.T) {
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
		if got := leaving(obj); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// TestHasLost: only what an object had, and of which nothing is told yet, is worth the question whether its namespace is being deleted.
func TestHasLost(t *testing.T) {
	t.Parallel()
	had := func(v *view) { written(v); v.saved = v.obj.Status }
	for name, tc := range map[string]struct {
		given func(*view)
		want  bool
	}{
		"all is well":                {had, false},
		"a renewal":                  {func(v *view) { had(v); v.now = at("11:50:00") }, false},
		"the target is gone":         {func(v *view) { had(v); missing(v) }, true},
		"the token was edited":       {func(v *view) { had(v); holding(replacedContent)(v) }, false},
		"the client Secret is gone":  {func(v *view) { had(v); v.client = clientView{} }, true},
		"it is told already":         {func(v *view) { had(v); v.client = clientView{}; stalledBefore("SecretNotFound")(v) }, false},
		"a new object":               {missing, false},
		"a new one without a client": {func(v *view) { missing(v); v.client = clientView{} }, false},
		"consent is gone":            {func(v *view) { had(v); v.client.allowedHosts = "" }, false},
	} {
		v := steady()
		tc.given(v)
		if got := hasLost(v, plan(v)); got != tc.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

// TestEndings: of all objects of a namespace one asks, the others wait for what it learns, and that is good for a while.
func TestEndings(t *testing.T) {
	t.Parallel()
	var e endings
	now := at("11:00:00")
	check := func(when, namespace string, ends, ask bool, wait time.Duration) {
		t.Helper()
		if gotEnds, gotAsk, gotWait := e.recall(namespace, now); gotEnds != ends || gotAsk != ask || gotWait != wait {
			t.Errorf("%s: ends %t, ask %t, wait %s", when, gotEnds, gotAsk, gotWait)
		}
	}
	check("the first", "a", false, true, 0)
	check("the second", "a", false, false, 100*time.Millisecond)
	check("another namespace", "b", false, true, 0)
	e.learn("a", now, true)
	e.learn("b", now, false)
	now = now.Add(19 * time.Second)
	check("later", "a", true, false, 0)
	check("later, another namespace", "b", false, false, 0)
	now = now.Add(time.Second)
	check("once it is old", "a", false, true, 0)
	now = now.Add(10 * time.Second)
	check("when nobody has come back", "a", false, true, 0)
	if len(e.of) != 1 {
		t.Errorf("%d namespaces are remembered", len(e.of))
	}
}
