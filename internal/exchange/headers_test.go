package exchange_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/internal/exchange"
)

func TestAPIHeaders(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		req       exchange.Request
		tokenType string
		want      map[string]string
		token     string
	}{
		"adobe": {
			req:       exchange.Request{Provider: exchange.AdobeServerToServer, Client: exchange.Client{ID: "etl"}, OrganizationID: "ABC@AdobeOrg", SandboxName: "prod"},
			tokenType: "Bearer",
			want:      map[string]string{"Authorization": "Bearer opaque", "x-api-key": "etl", "x-gw-ims-org-id": "ABC@AdobeOrg", "x-sandbox-name": "prod"},
			token:     "Authorization",
		},
		"service account without a sandbox": {
			req:   exchange.Request{Provider: exchange.AdobeServiceAccount, Client: exchange.Client{ID: "etl"}, OrganizationID: "ABC@AdobeOrg"},
			want:  map[string]string{"Authorization": "Bearer opaque", "x-api-key": "etl", "x-gw-ims-org-id": "ABC@AdobeOrg"},
			token: "Authorization",
		},
		"algonomy": {
			req:       exchange.Request{Provider: exchange.Algonomy, Client: exchange.Client{TenantHash: "abcd", OAuthKeySecret: "4fae"}},
			tokenType: "Bearer",
			want:      map[string]string{"access_token": "opaque", "tenant_hash": "abcd"},
			token:     "access_token",
		},
		"apsis": {req: exchange.Request{Provider: exchange.Apsis}, tokenType: "Bearer", want: map[string]string{"Authorization": "Bearer opaque"}, token: "Authorization"},
		"oauth2, another type": {
			req: exchange.Request{Provider: exchange.OAuth2}, tokenType: "DPoP", want: map[string]string{"Authorization": "DPoP opaque"}, token: "Authorization",
		},
		"basic": {req: exchange.Request{Provider: exchange.Basic}, tokenType: "Basic", want: map[string]string{"Authorization": "Basic opaque"}, token: "Authorization"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, test.req.APIHeaders("opaque", test.tokenType)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := test.req.TokenHeader(); got != test.token {
				t.Errorf("token header %q, want %q", got, test.token)
			}
		})
	}
}
