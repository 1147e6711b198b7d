package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/internal/egress"
)

// TestAskOf: the token of steady() expires at 12:00:00, and the time is 11:17:43.
func TestAskOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		given   func(*view)
		cause   cause
		expires string
		// planned is what Unplanned is not.
		planned bool
	}{
		{"renewal", func(*view) {}, causeRenewal, "12:00:00", true},
		{"renewal of a token that has just expired", func(v *view) { v.now = at("12:00:00") }, causeRenewal, "", false},
		{"first token", missing, causeMissing, "", false},
		{"the token key was edited", holding(replacedContent), causeReplaced, "", false},
		{"client Secret rotated", func(*view) {}, causeChanged, "12:00:00", false},
		{"asked for", func(*view) {}, causeRequested, "12:00:00", false},
		{"the API refuses it", func(*view) {}, causeRejected, "12:00:00", false},
	} {
		v := steady()
		tc.given(v)
		want := egress.Ask{Endpoint: "auth.example.com:443", Namespace: "marketing", Object: "marketing/etl", Since: at("11:17:00"), Unplanned: !tc.planned}
		if tc.expires != "" {
			want.Expires = at(tc.expires)
		}
		if diff := cmp.Diff(want, askOf(v, at("11:17:00"), tc.cause), cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.name, diff)
		}
	}
}
