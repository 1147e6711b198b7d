// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func TestPublicationCompletesItsRecord(t *testing.T) {
	t.Parallel()
	s := steady()
	s.Object.Spec.Target.Labels = map[string]v1alpha1.LabelValue{"team": "red"}
	s.Target.ForeignKeys = "password/token"
	p := &Publication{Persisted: *s.Current.Persisted}
	p.Persisted.ClockAhead = time.Hour
	data := map[string][]byte{"authorization": []byte("Bearer t0ken"), "token": []byte("t0ken")}
	p.Persisted.DescribeTarget(&s.Object.Spec.Target, data)
	meta, err := p.TargetMetadata(s, data)
	if err != nil {
		t.Fatal(err)
	}
	rec := p.Persisted
	if !rec.Shared || rec.TokenMAC != rec.TokenMACOf([]byte("t0ken")) || rec.DataMAC != rec.DataMACOf(data, []string{"authorization", "token"}) {
		t.Errorf("the record is %+v", rec)
	}
	if diff := cmp.Diff([]string{"app.kubernetes.io/managed-by", "team"}, rec.Labels); diff != "" {
		t.Errorf("labels: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"cdpcredentials.io/credential", "cdpcredentials.io/expires-at"}, rec.Annotations); diff != "" {
		t.Errorf("annotations: -want +got:\n%s", diff)
	}
	var written PersistedState
	if err := json.Unmarshal([]byte(meta.Annotations["cdpcredentials.io/state"]), &written); err != nil {
		t.Fatal(err)
	}
	// What is written is on the local clock, which is ahead by an hour.
	if clockText(written.ExpiresAt) != "13:00:00" || clockText(written.IssuedAt) != "12:00:00" || meta.Annotations["cdpcredentials.io/expires-at"] != "2026-03-01T13:00:00Z" {
		t.Errorf("it would write %+v, %v", written, meta.Annotations)
	}
	s.Target.ForeignKeys = "token"
	if _, err := p.TargetMetadata(s, data); err != nil || p.Persisted.Shared {
		t.Errorf("no key is another's, and the record says %t, %v", p.Persisted.Shared, err)
	}
}

func TestDescribeTargetTellsDefaultKeysFromTemplates(t *testing.T) {
	t.Parallel()
	s := steady()
	s.Object.Spec.Target.Data = map[string]v1alpha1.DataTemplate{"url": "https://{{ .token }}"}
	var rec PersistedState
	rec.DescribeTarget(&s.Object.Spec.Target, map[string][]byte{"url": nil, "token": nil, "authorization": nil})
	want := [][]string{{"authorization", "token", "url"}, {"authorization", "token"}}
	if diff := cmp.Diff(want, [][]string{rec.Keys, rec.DefaultKeys}); diff != "" || rec.TargetSpecHash != TargetSpecHash(&s.Object.Spec.Target) {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCurrentTokenKeepsAChangeVisible(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		given func(*State)
		want  string // the version of the client Secret in the record
	}{
		"the same request": {func(*State) {}, "c/8"},
		"another request":  {func(s *State) { s.Current.Persisted.RequestHash = "old" }, "c/7"},
	} {
		s := steady()
		_, req := attempted(s)
		s.Client.Version = "c/8"
		tc.given(s)
		p := currentToken(s, req, "t0ken")
		if p.Persisted.ClientVersion != tc.want || s.Current.Persisted.ClientVersion != "c/7" || string(p.Token.Value) != "t0ken" || p.Token.Type != "Bearer" || !p.Repeated {
			t.Errorf("%s: got %+v", name, p)
		}
		if clockText(p.Token.Life.IssuedAt)+" "+clockText(p.Token.Life.ExpiresAt) != "11:00:00 12:00:00" {
			t.Errorf("%s: it lives %+v", name, p.Token.Life)
		}
	}
}

func TestPublishedStateNeedsNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ repeated, token, want bool }{
		"a new token":                    {false, false, false},
		"an endpoint that had repeated":  {true, false, false},
		"an endpoint that repeats":       {true, true, true},
		"a token that was written again": {false, true, false},
	} {
		s := steady()
		s.Target.ForeignKeys, s.Repeated = "password/token", tc.repeated
		p := &Publication{Persisted: *s.Current.Persisted, Repeated: tc.token}
		p.Persisted.Keys, p.Persisted.ClockAhead, p.Persisted.ExpiresAt = []string{"token"}, time.Minute, at("13:00:00")
		after := s.Published(p, "t/10")
		want := TargetSecret{Name: "etl-token", Found: true, Version: "t/10", Content: ContentIntact, Persisted: &p.Persisted, ForeignKeys: "password"}
		want.Metadata.Labels = map[string]string{"app.kubernetes.io/managed-by": "cdp-credential-operator"}
		want.Metadata.Annotations = map[string]string{"cdpcredentials.io/credential": "etl", "cdpcredentials.io/expires-at": "2026-03-01T13:01:00Z"}
		want.Metadata.OwnerReferences = ownedByUs()
		if diff := cmp.Diff([]TargetSecret{want, want}, []TargetSecret{after.Target, after.Current}); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
		if after.Repeated != tc.want || after.ClockAhead != time.Minute || s.Target.Version != "t/9" {
			t.Errorf("%s: repeats: %t, clock ahead by %s", name, after.Repeated, after.ClockAhead)
		}
	}
}
