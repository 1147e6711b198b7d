// SPDX-License-Identifier: Apache-2.0

package exchange_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

func TestAPIHeaders(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		req       ask
		tokenType string
		want      map[string]string
		token     string
	}{
		"adobe": {
			req:       ask{Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg", SandboxName: "prod"}}, Values: exchange.Values{"clientID": "etl"}},
			tokenType: "Bearer",
			want:      map[string]string{"Authorization": "Bearer opaque", "x-api-key": "etl", "x-gw-ims-org-id": "ABC@AdobeOrg", "x-sandbox-name": "prod"},
			token:     "Authorization",
		},
		"service account without a sandbox": {
			req:   ask{Provider: v1alpha1.Provider{Adobe: &v1alpha1.Adobe{OrganizationID: "ABC@AdobeOrg", ServiceAccount: &v1alpha1.AdobeServiceAccount{}}}, Values: exchange.Values{"clientID": "etl"}},
			want:  map[string]string{"Authorization": "Bearer opaque", "x-api-key": "etl", "x-gw-ims-org-id": "ABC@AdobeOrg"},
			token: "Authorization",
		},
		"algonomy": {
			req:       ask{Provider: v1alpha1.Provider{Algonomy: &v1alpha1.Algonomy{API: "Profile"}}, Values: exchange.Values{"tenantHash": "abcd", "oauthKeySecret": "4fae"}},
			tokenType: "Bearer",
			want:      map[string]string{"access_token": "opaque", "tenant_hash": "abcd"},
			token:     "access_token",
		},
		"apsis": {req: ask{Provider: v1alpha1.Provider{Apsis: &v1alpha1.Apsis{}}}, tokenType: "Bearer", want: map[string]string{"Authorization": "Bearer opaque"}, token: "Authorization"},
		"oauth2, another type": {
			req: ask{Provider: v1alpha1.Provider{OAuth2: &v1alpha1.OAuth2{}}}, tokenType: "DPoP", want: map[string]string{"Authorization": "DPoP opaque"}, token: "Authorization",
		},
		"basic": {req: ask{Provider: v1alpha1.Provider{Basic: &v1alpha1.Basic{}}}, tokenType: "Basic", want: map[string]string{"Authorization": "Basic opaque"}, token: "Authorization"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.req.request().APIHeaders("opaque", test.tokenType)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			f := test.req.request().Flow
			if got := f.CarrierHeader(); got != test.token {
				t.Errorf("token header %q, want %q", got, test.token)
			}
		})
	}
}
