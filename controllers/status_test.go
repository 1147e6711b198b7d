// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
	"github.com/cdpcredentials/cdp-credential-operator/internal/telemetry"
)

// TestObjectMetricsLeaveOutWhatIsUnknown: what is not known is not told.
func TestObjectMetricsLeaveOutWhatIsUnknown(t *testing.T) {
	t.Parallel()
	const expires, next = 1_772_366_400, 1_772_365_319
	stuck := []telemetry.FailingCondition{{Condition: "Stalled", Reason: "SecretNotFound"}}
	tests := map[string]struct {
		given func(*credential.State)
		want  telemetry.Object
	}{
		"all is well":      {func(*credential.State) {}, telemetry.Object{TokenExpiration: expires, NextRefresh: next, Ready: true}},
		"expired":          {func(s *credential.State) { s.Now = at("12:00:00"); s.Client = credential.ClientSecret{} }, telemetry.Object{TokenExpiration: expires, Failing: stuck}},
		"no token":         {func(s *credential.State) { missing(s); s.Client = credential.ClientSecret{} }, telemetry.Object{Failing: stuck}},
		"suspended":        {suspended, telemetry.Object{TokenExpiration: expires, Ready: true, Suspended: true}},
		"basic":            {basic, telemetry.Object{Provider: "basic", Ready: true}},
		"no client Secret": {func(s *credential.State) { s.Client = credential.ClientSecret{} }, telemetry.Object{TokenExpiration: expires, Ready: true, Failing: stuck}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := steady()
			tc.given(s)
			plan := credential.Decide(s)
			status := credential.NewStatus(s, plan, credential.NoAction(plan), nil)
			tc.want.Secret = "etl-token"
			if tc.want.Provider == "" {
				tc.want.Provider, tc.want.Endpoint = "oauth2", "auth.example.com:443"
			}
			if diff := cmp.Diff(tc.want, objectMetrics(s, &status)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestIssuedMetricsNameTheIssuingEndpoint: the metrics of a new token are about the endpoint that issued it.
func TestIssuedMetricsNameTheIssuingEndpoint(t *testing.T) {
	t.Parallel()
	want := telemetry.Issued{Endpoint: "auth.example.com:443", Skew: -3 * time.Second, Margin: 90 * time.Second, Lateness: -1}
	got := issuedMetrics(steady(), &credential.IssuedToken{Skew: -3 * time.Second, Margin: 90 * time.Second, Lateness: -1})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
