// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden file anew")

// mistakes are what people commonly get wrong, each a spec that replaces members of base.
var mistakes = []struct{ what, spec string }{
	{"a provider without settings", "provider: {apsis: }"},
	{"two providers", "provider: {apsis: {}, basic: {}}"},
	{"a provider that is misspelt", "provider: {oauth: {tokenURL: 'https://auth.example.com/token'}}"},
	{"http", "provider: {oauth2: {tokenURL: 'http://auth.example.com/token'}}"},
	{"no token URL", "provider: {oauth2: {}}"},
	{"credentials in the URL", "provider: {oauth2: {tokenURL: 'https://id:secret@auth.example.com/token'}}"},
	{"a URL for the domain", "provider: {auth0: {domain: 'https://tenant.auth0.com/'}}"},
	{"scopes in one string", "provider: {oauth2: {tokenURL: 'https://auth.example.com/token', scopes: ['read write']}}"},
	{"scopes that are no list", "provider: {oauth2: {tokenURL: 'https://auth.example.com/token', scopes: read}}"},
	{"the RFC's name of an authentication method", "provider: {oauth2: {tokenURL: 'https://auth.example.com/token', authMethod: client_secret_post}}"},
	{"both Adobe flows", "provider: {adobe: {organizationID: A@AdobeOrg, scopes: [openid], serviceAccount: {technicalAccountID: X@techacct.adobe.com, metascopes: [ent_dataservices_sdk]}}}"},
	{"a validity in seconds", "provider: {algonomy: {url: 'https://b2b.example.com', api: Profile, resources: [basic], validity: 90s}}"},
	{"a day as a unit", "refresh: {before: 1d}"},
	{"a duration without a unit", "refresh: {before: '600'}"},
	{"a duration of nothing", "verify: {url: 'https://api.apsis.one/audience/keyspaces', interval: 0s}"},
	{"a CA that is no base64", "tls: {caBundle: '-----BEGIN CERTIFICATE-----'}"},
	{"the client Secret as the target", "target: {name: etl-client}"},
	{"a name with a capital letter", "target: {name: Etl-Token}"},
	{"a template for the key token", "target: {name: etl-token, data: {token: 'Bearer {{ .token }}'}}"},
	{"our own label", "target: {name: etl-token, labels: {app.kubernetes.io/managed-by: argocd}}"},
	{"a reference that is a string", "clientSecretRef: etl-client"},
	{"a workload that cannot be restarted", "rolloutRestart: [{kind: CronJob, name: etl}]"},
	{"a boolean in quotes", "suspend: 'true'"},
	{"a field that is misspelt", "refresh: {befor: 10m}"},
}

// TestAnswersToCommonMistakesSayWhatToType compares the API server's answers with testdata/mistakes.golden, which is for people to read: an answer that
// does not say what to type is a defect. `go test ./api/... -run Mistakes -update` updates it.
func TestAnswersToCommonMistakesSayWhatToType(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, mistake := range mistakes {
		err := applyStrictly(t, mistake.spec)
		if err == nil {
			t.Errorf("%s is accepted", mistake.what)
			continue
		}
		answer := strings.TrimPrefix(err.Error(), `CDPCredential.cdpcredentials.io "etl" is invalid: `)
		got.WriteString("# " + mistake.what + "\n" + mistake.spec + "\n=> " + answer + "\n\n")
	}
	const file = "testdata/mistakes.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// applyStrictly does what kubectl apply does with a new object, without keeping it.
func applyStrictly(t *testing.T, spec string) error {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(base), &obj.Object); err != nil {
		t.Fatal(err)
	}
	obj.SetGenerateName("")
	obj.SetName("etl")
	var over map[string]any
	if err := yaml.Unmarshal([]byte(spec), &over); err != nil {
		t.Fatalf("the test's own YAML: %v", err)
	}
	for member, value := range over {
		if err := unstructured.SetNestedField(obj.Object, value, "spec", member); err != nil {
			t.Fatal(err)
		}
	}
	return client.WithFieldValidation(apiServer, "Strict").Create(t.Context(), obj, client.DryRunAll)
}
