// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/api/v1alpha1"
)

var updateFingerprints = flag.Bool("update-fingerprints", false, "Write testdata/fingerprints.txt anew.")

// fingerprinted are specs of every provider with every field.
var fingerprinted = []string{
	`{"experiture":{"tokenURL":"https://auth.example.com/t"}}`,
	`{"experiture":{"tokenURL":"https://auth.example.com/t","scopes":["a:read","b"]}}`,
	`{"adobe":{"organizationID":"ABC@AdobeOrg","scopes":["openid","AdobeID"]}}`,
	`{"adobe":{"organizationID":"ABC@AdobeOrg","scopes":["openid"],"imsURL":"https://ims.example.com:8443","sandboxName":"prod"}}`,
	`{"adobe":{"organizationID":"ABC@AdobeOrg","sandboxName":"prod","serviceAccount":{"technicalAccountID":"X@techacct.adobe.com","metascopes":["ent_dataservices_sdk","m"]}}}`,
	`{"apsis":{}}`,
	`{"apsis":{"url":"https://api-apac.apsis.one"}}`,
	`{"algonomy":{"url":"https://b2b.example.com","api":"Profile","resources":["basic","segments"]}}`,
	`{"algonomy":{"url":"https://gdpr.example.com","api":"GDPR","validity":"300m"}}`,
	`{"auth0":{"domain":"tenant.example.com:8443"}}`,
	`{"auth0":{"domain":"tenant.example.com","audience":"https://api.example.com"}}`,
	`{"oauth2":{"tokenURL":"https://auth.example.com/t"}}`,
	`{"oauth2":{"tokenURL":"https://auth.example.com/t","authMethod":"ClientSecretBasic","requestFormat":"Form","scopeSeparator":" ","response":{"tokenField":"access_token","expiresInField":"expires_in","expiresInUnit":"Seconds"}}}`,
	`{"oauth2":{"tokenURL":"https://auth.example.com/t","authMethod":"ClientSecretBasicRaw","requestFormat":"JSON","scopes":["a","b"],"scopeSeparator":",","audience":"aud","resources":["r1","r2"],"parameters":{"p":"1","q":"2"},"headers":{"X-Tenant":"7"},"response":{"tokenField":"data.token","expiresInField":"data.ttl","expiresInUnit":"Milliseconds"},"defaultLifetime":"1h"}}`,
	`{"oauth2":{"tokenURL":"https://auth.example.com/t","authMethod":"ClientSecretPost"}}`,
	`{"oauth2":{"tokenURL":"https://auth.example.com/t","authMethod":"PrivateKeyJWT","assertionAudience":"https://issuer.example.com"}}`,
	`{"basic":{}}`,
}

// TestFingerprintsStay pins the fingerprints of every provider: were one to change, an upgrade would renew every token.
func TestFingerprintsStay(t *testing.T) {
	t.Parallel()
	everything := map[string]string{
		"client-id": "1", "client-secret": "2", "private-key": "3", "private-key-passphrase": "4", "key-id": "5", "tenant-hash": "6", "oauth-key-secret": "7",
		"token-id": "8", "token-secret": "9", "other-id": "10",
	}
	var got strings.Builder
	for _, text := range fingerprinted {
		for _, keys := range []*v1alpha1.ClientSecretKeys{nil, {ClientID: "other-id", TenantHash: "other-id", CACertificate: "ca"}} {
			spec := &v1alpha1.CDPCredentialSpec{ClientSecretRef: v1alpha1.ClientSecretReference{Name: "etl-client", Keys: keys}}
			if err := json.Unmarshal([]byte(text), &spec.Provider); err != nil {
				t.Fatal(err)
			}
			in, err := DesiredFlowOf(spec)
			if err != nil {
				t.Fatal(err)
			}
			req, err := in.Request(clientSecret(everything))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = fmt.Fprintln(&got, text, keys != nil, in.SpecHash, in.SpecHashWithoutUpdatable, req.Fingerprint([]byte("salt")), req.FingerprintWithoutUpdatable([]byte("salt")))
		}
	}
	const file = "testdata/fingerprints.txt"
	if *updateFingerprints {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("want\n%sgot\n%s", want, &got)
	}
}
