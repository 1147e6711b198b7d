// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

func TestStatusPatchHasWhatChanged(t *testing.T) {
	at := func(second int) *metav1.Time {
		return new(metav1.NewTime(time.Date(2026, 3, 1, 0, 0, second, 0, time.UTC)))
	}
	tests := []struct {
		name          string
		saved, status v1alpha1.CDPCredentialStatus
		want          string
	}{
		{"nothing", v1alpha1.CDPCredentialStatus{Failures: 1, NextRefreshTime: at(1)}, v1alpha1.CDPCredentialStatus{Failures: 1, NextRefreshTime: at(1)}, ""},
		{"a first field", v1alpha1.CDPCredentialStatus{}, v1alpha1.CDPCredentialStatus{Provider: "apsis"}, `{"op":"add","path":"/status","value":{"provider":"apsis"}}`},
		{
			"changed, added, gone and kept",
			v1alpha1.CDPCredentialStatus{Failures: 1, RefreshPending: true, NextRefreshTime: at(1), TargetName: "x"},
			v1alpha1.CDPCredentialStatus{Failures: 2, NextRefreshTime: at(2), LastRefreshTime: at(3), TargetName: "x"},
			`{"op":"add","path":"/status/contest","value":null},{"op":"add","path":"/status/earlyAttempts","value":null},{"op":"add","path":"/status/failures","value":2},` +
				`{"op":"add","path":"/status/lastAttempt","value":null},{"op":"add","path":"/status/lastRefreshTime","value":"2026-03-01T00:00:03Z"},` +
				`{"op":"add","path":"/status/nextRefreshTime","value":"2026-03-01T00:00:02Z"},{"op":"add","path":"/status/refreshPending","value":null},` +
				`{"op":"add","path":"/status/repeatedUntil","value":null},{"op":"add","path":"/status/tokenExpirationTime","value":null}`,
		},
		{
			"the clock goes with a time that is on it", // another process may have written its own there
			v1alpha1.CDPCredentialStatus{NextRefreshTime: at(1), LastAttempt: &v1alpha1.Attempt{Asked: "a", Clock: &v1alpha1.ClockReading{Process: "p", ServerSeconds: -2100}}},
			v1alpha1.CDPCredentialStatus{NextRefreshTime: at(2), LastAttempt: &v1alpha1.Attempt{Asked: "a", Clock: &v1alpha1.ClockReading{Process: "p", ServerSeconds: -2100}}},
			`{"op":"add","path":"/status/contest","value":null},{"op":"add","path":"/status/earlyAttempts","value":null},` +
				`{"op":"add","path":"/status/lastAttempt","value":{"asked":"a","clock":{"process":"p","serverSeconds":-2100}}},` +
				`{"op":"add","path":"/status/lastRefreshTime","value":null},{"op":"add","path":"/status/nextRefreshTime","value":"2026-03-01T00:00:02Z"},` +
				`{"op":"add","path":"/status/repeatedUntil","value":null},{"op":"add","path":"/status/tokenExpirationTime","value":null}`,
		},
		{
			"within an object",
			v1alpha1.CDPCredentialStatus{GrantedScopes: []string{"a"}, Issuance: &v1alpha1.Issuance{Day: "2026-03-01", Count: 4}},
			v1alpha1.CDPCredentialStatus{GrantedScopes: []string{"a"}, Issuance: &v1alpha1.Issuance{Day: "2026-03-01", Count: 5}},
			`{"op":"add","path":"/status/issuance","value":{"day":"2026-03-01","count":5}}`,
		},
		{
			"a whole object", v1alpha1.CDPCredentialStatus{Issuance: &v1alpha1.Issuance{Day: "2026-03-01", Count: 4}}, v1alpha1.CDPCredentialStatus{},
			`{"op":"add","path":"/status/issuance","value":null}`,
		},
		{
			"an object that was not there", v1alpha1.CDPCredentialStatus{Failures: 1}, v1alpha1.CDPCredentialStatus{Failures: 1, Issuance: &v1alpha1.Issuance{Day: "2026-03-01", Count: 1}},
			`{"op":"add","path":"/status/issuance","value":{"day":"2026-03-01","count":1}}`,
		},
		{
			"a required field that is zero",
			v1alpha1.CDPCredentialStatus{Issuance: &v1alpha1.Issuance{Day: "2026-03-01", Count: 1}}, v1alpha1.CDPCredentialStatus{Issuance: &v1alpha1.Issuance{Day: "2026-03-01"}},
			`{"op":"add","path":"/status/issuance","value":{"day":"2026-03-01","count":0}}`,
		},
		{
			"no list, and an empty one", v1alpha1.CDPCredentialStatus{GrantedScopes: []string{"a"}}, v1alpha1.CDPCredentialStatus{GrantedScopes: []string{}},
			`{"op":"add","path":"/status/grantedScopes","value":null}`,
		},
		{
			"a list is replaced",
			v1alpha1.CDPCredentialStatus{GrantedScopes: []string{"a", "b"}}, v1alpha1.CDPCredentialStatus{GrantedScopes: []string{"b"}},
			`{"op":"add","path":"/status/grantedScopes","value":["b"]}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := StatusPatch("u", "", &tt.saved, &tt.status)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if tt.want != "" {
				want = `[{"op":"test","path":"/metadata/uid","value":"u"},` + tt.want + `]`
			}
			if string(got) != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}
