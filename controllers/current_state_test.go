// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// TestValueToKeepRefusesAChangedSecret: a Secret that has changed since it was decided on is not written to, and the next pass knows that the cache is behind.
func TestValueToKeepRefusesAChangedSecret(t *testing.T) {
	tests := map[string]struct {
		// change is what somebody does to the Secret after the cache has seen it.
		change func(*corev1.Secret)
		want   string
	}{
		"nobody":                  {func(*corev1.Secret) {}, "t0ken"},
		"another replica":         {func(s *corev1.Secret) { s.Labels = map[string]string{"team": "red"} }, "read the held token: the Secret has changed"},
		"somebody took the token": {func(s *corev1.Secret) { delete(s.Data, "token") }, "read the held token: it is gone"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPlay(t)
			v := steady()
			rec := v.Current.Persisted
			rec.Keys = []string{"token"}
			rec.TokenMAC = rec.TokenMACOf([]byte("t0ken"))
			state, err := json.Marshal(rec)
			if err != nil {
				t.Fatal(err)
			}
			secret := &corev1.Secret{Data: map[string][]byte{"token": []byte("t0ken")}}
			secret.Namespace, secret.Name = "marketing", "etl-token"
			secret.Annotations = map[string]string{"cdpcredentials.io/credential": "etl", "cdpcredentials.io/state": string(state)}
			if err := p.api.Create(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
			v.Current.Version = credential.VersionOf(&secret.ObjectMeta)
			tc.change(secret)
			if err := p.api.Update(t.Context(), secret, &client.UpdateOptions{}); err != nil {
				t.Fatal(err)
			}
			if name == "nobody" {
				v.Current.Version = credential.VersionOf(&secret.ObjectMeta)
			}
			cache := &credential.ObjectCache{}
			value, err := p.r.reader().valueToKeep(t.Context(), v, cache)
			got := string(value)
			if err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			var want []credential.SeenTarget
			if name == "another replica" {
				want = []credential.SeenTarget{{Name: "etl-token", Version: credential.VersionOf(&secret.ObjectMeta), Content: credential.ContentEdited}}
			}
			if diff := cmp.Diff(want, cache.Target.Seen, cmp.AllowUnexported(credential.SeenTarget{})); diff != "" {
				t.Errorf("remembered (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRequeueLeavesOutTheTimeThatReconcilingTook: what a pass's own writes have taken is not added to a wait.
func TestRequeueLeavesOutTheTimeThatReconcilingTook(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration
		ended string
		want  time.Duration
	}{
		"for a change":           {0, "11:00:05", 0},
		"a quick pass":           {time.Minute, "11:00:00", time.Minute},
		"a slow one":             {time.Minute, "11:00:05", 55 * time.Second},
		"it is past":             {4 * time.Second, "11:00:05", time.Millisecond},
		"the clock was set back": {time.Minute, "10:50:00", time.Minute},
	} {
		p := newPlay(t)
		s := steady()
		s.Now = at("11:00:00")
		p.clock.SetTime(at(tc.ended))
		if got := p.r.untilThen(s, tc.after); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

// TestRandomFailsWithoutASource: an ID or a salt is not made of nothing.
func TestRandomFailsWithoutASource(t *testing.T) {
	t.Parallel()
	if _, err := (&Sources{Rand: strings.NewReader("")}).random(8); err == nil {
		t.Error("an ID was made of nothing")
	}
}
