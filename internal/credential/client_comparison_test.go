// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// compared is an object whose client Secret, c/7, was read, and whose record is of what it comes to.
func compared() *State {
	s := steady()
	s.Salt = []byte("process")
	s.Client.Content = clientSecret(map[string]string{"client-id": "id", "client-secret": "secret"})
	req, err := s.Desired.Request(s.Client.Content)
	if err != nil {
		panic(err)
	}
	describeRequest(s.Current.Persisted, s, req)
	return s
}

func TestClientSecretIsComparedWithTheRecord(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given      func(*State)
		withRecord bool
		want       Difference
		against    bool
		request    bool // it comes to one
	}{
		"unchanged":       {func(*State) {}, true, Same, true, true},
		"another secret":  {func(s *State) { s.Client.Content.Data["client-secret"] = []byte("x") }, true, Different, true, true},
		"no record":       {func(*State) {}, false, Different, false, true},
		"a key is gone":   {func(s *State) { delete(s.Client.Content.Data, "client-secret") }, true, Different, true, false},
		"another version": {func(s *State) { s.Client.Version = "c/8" }, true, Same, true, true},
	} {
		s := compared()
		tc.given(s)
		seen := ClientComparison{Attempt: "kept", Version: "c/1", Difference: UpdatableOnly, Against: "old"}
		seen.Compare(s, tc.withRecord)
		if seen.Attempt != "kept" || seen.Version != s.Client.Version || seen.SpecHash != s.Desired.SpecHash || seen.Difference != tc.want || (seen.Request != "") != tc.request {
			t.Errorf("%s: got %+v", name, seen)
		}
		if against := seen.Against == s.Current.Persisted.RequestHash; against != tc.against {
			t.Errorf("%s: compared with %q", name, seen.Against)
		}
	}
}

func TestClientComparisonIsOfOneVersion(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given           func(*State)
		either, against bool // without and with the record
	}{
		"as compared":     {func(*State) {}, true, true},
		"another Secret":  {func(s *State) { s.Client.Version = "c/8" }, false, false},
		"another spec":    {func(s *State) { s.Desired.SpecHash = "new" }, false, false},
		"another request": {func(s *State) { s.Current.Persisted.RequestHash = "new" }, true, false},
	} {
		s := compared()
		var seen ClientComparison
		seen.Compare(s, true)
		tc.given(s)
		if either, against := seen.IsOf(s, false), seen.IsOf(s, true); either != tc.either || against != tc.against {
			t.Errorf("%s: got %t, %t", name, either, against)
		}
	}
}

func TestAttemptIsRememberedByItsRequest(t *testing.T) {
	t.Parallel()
	s := compared()
	var seen, again, renewed ClientComparison
	seen.Attempted(s)
	again.Compare(s, false)
	if seen.Attempt == "" || seen.Attempt != seen.Request || seen.Request != again.Request || seen.Against != "" || seen.Version != "c/7" || seen.SpecHash != s.Desired.SpecHash {
		t.Errorf("got %+v, compared to %+v", seen, again)
	}
	s.Client.Content.Data["client-secret"] = []byte("x")
	if renewed.Attempted(s); renewed.Attempt == seen.Attempt {
		t.Error("another secret has the same fingerprint")
	}
	s.Client.Content = nil
	renewed.Attempted(s)
	if diff := cmp.Diff(ClientComparison{Version: "c/7", SpecHash: s.Desired.SpecHash}, renewed); diff != "" {
		t.Errorf("the Secret was not read: -want +got:\n%s", diff)
	}
}
