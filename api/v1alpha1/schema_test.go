// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"
)

var apiServer client.Client

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	env := &envtest.Environment{CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true}
	defer func() { _ = env.Stop() }() // a start that failed half-way leaves processes, too
	config, err := env.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "start the API server (make test sets KUBEBUILDER_ASSETS):", err)
		return 1
	}
	if apiServer, err = client.New(config, client.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

const base = `
apiVersion: cdpcredentials.io/v1alpha1
kind: CDPCredential
metadata: {namespace: default, generateName: schema-}
spec:
  provider: {apsis: {}}
  clientSecretRef: {name: etl-client}
  target: {name: etl-token}
`

// dryRun applies base with the given spec fields on top and returns the API server's error.
func dryRun(t *testing.T, spec string) error {
	t.Helper()
	obj := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(base), &obj.Object); err != nil {
		t.Fatal(err)
	}
	var over map[string]any
	if err := yaml.Unmarshal([]byte(spec), &over); err != nil {
		t.Fatalf("the test's own YAML: %v", err)
	}
	have := obj.Object["spec"].(map[string]any)
	maps.Copy(have, over)
	return apiServer.Create(t.Context(), obj, client.DryRunAll, client.FieldValidation("Strict"))
}

func TestSchemaAccepts(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]string{
		"the least":               `{}`,
		"experiture":              `provider: {experiture: {tokenURL: "https://auth.experiture.example/oauth/token", scopes: ["cdp:records:write"]}}`,
		"adobe, server to server": `provider: {adobe: {organizationID: ABC@AdobeOrg, imsURL: "https://ims-na1.adobelogin.com", sandboxName: prod, scopes: [openid, AdobeID]}}`,
		"adobe, service account":  `provider: {adobe: {organizationID: ABC@AdobeOrg, serviceAccount: {technicalAccountID: X@techacct.adobe.com, metascopes: [ent_dataservices_sdk]}}}`,
		"apsis with address":      `provider: {apsis: {url: "https://api-apac.apsis.one"}}`,
		"algonomy":                `provider: {algonomy: {url: "https://b2b.example.com", api: Profile, resources: [basic, segments], validity: 300m}}`,
		"algonomy, 1h30m":         `provider: {algonomy: {url: "https://b2b.example.com", api: GDPR, resources: [basic], validity: 1h30m}}`,
		"algonomy, 120s":          `provider: {algonomy: {url: "https://b2b.example.com", api: GDPR, resources: [basic], validity: 120s}}`,
		"auth0":                   `provider: {auth0: {domain: auth.example.com, audience: "https://api.example.com"}}`,
		"auth0 with port":         `provider: {auth0: {domain: "auth.example.com:8443", audience: x}}`,
		"auth0 by address":        `provider: {auth0: {domain: "127.0.0.1:8443", audience: x}}`,
		"auth0 by IPv6 address":   `provider: {auth0: {domain: "[::1]:8443", audience: x}}`,
		"oauth2, the least":       `provider: {oauth2: {tokenURL: "https://auth.example.com"}}`,
		"oauth2, all": `{provider: {oauth2: {tokenURL: "https://auth.example.com:8443/oauth/token?tenant=1", authMethod: PrivateKeyJWT, requestFormat: Form, scopes: [a, b],
		  scopeSeparator: ",", audience: x, resources: ["https://a.example.com"], parameters: {a: "b c"}, headers: {X-A: "b c"},
		  response: {tokenField: data.token, expiresInField: data.ttl, expiresInUnit: Milliseconds}, defaultLifetime: 1h}}}`,
		"basic":                        `provider: {basic: {}}`,
		"an IPv4 address":              `provider: {oauth2: {tokenURL: "https://127.0.0.1:8443/token"}}`,
		"an IPv6 address":              `provider: {oauth2: {tokenURL: "https://[::1]:8443/token"}}`,
		"an upper-case scheme":         `provider: {oauth2: {tokenURL: "HTTPS://auth.example.com/token"}}`,
		"an @ in the path":             `provider: {oauth2: {tokenURL: "https://auth.example.com/u@v"}}`,
		"a number in the name":         `provider: {oauth2: {tokenURL: "https://auth2.example.com/1"}}`,
		"keys":                         `clientSecretRef: {name: etl-client, keys: {clientID: id, clientSecret: secret.txt, privateKey: tls.key}}`,
		"a CA":                         `tls: {caBundle: aGVsbG8=}`,
		"labels":                       `target: {name: t, labels: {team: etl, example.com/team: "", a_b.c: "1"}, annotations: {Example.com/team: "any text: {}"}}`,
		"data":                         `target: {name: t, data: {authorization: "Bearer {{ .token }}", x-api-key: a, .netrc: b}, deletionPolicy: Retain}`,
		"refresh":                      `refresh: {before: 10m, maxPerDay: 20}`,
		"refresh with fraction":        `refresh: {before: 1.5h}`,
		"verify":                       `verify: {url: "https://api.apsis.one/audience/keyspaces", interval: 5m}`,
		"suspend":                      `suspend: true`,
		"issuance":                     `refresh: {issuance: OneActive}`,
		"a CA key":                     `clientSecretRef: {name: etl-client, keys: {caCertificate: ca.pem}}`,
		"assertion audience":           `provider: {oauth2: {tokenURL: "https://a.example.com/token", authMethod: PrivateKeyJWT, assertionAudience: "https://a.example.com"}}`,
		"64 KiB of templates":          `target: {name: t, data: {a: "` + strings.Repeat("a", 32<<10) + `", b: "` + strings.Repeat("b", 32<<10) + `"}}`,
		"nearly 64 KiB of annotations": `target: {name: t, annotations: {` + manyValues(15, 4096) + `}}`,
		"64 KiB in one annotation":     `target: {name: t, annotations: {team: ` + strings.Repeat("x", 64<<10-4) + `}}`,
		"64 KiB in one parameter":      `provider: {oauth2: {tokenURL: "https://a.example.com", parameters: {a: ` + strings.Repeat("x", 64<<10-1) + `}}}`,
		"nearly 64 KiB of parameters":  `provider: {oauth2: {tokenURL: "https://a.example.com", parameters: {` + manyValues(15, 4096) + `}}}`,
		"a CA of 64 KiB":               `tls: {caBundle: ` + strings.Repeat("aGVs", 21846) + `}`,
		"fields beside each other":     `provider: {oauth2: {tokenURL: "https://a.example.com", response: {tokenField: data.token, expiresInField: data.tokenTTL}}}`,
		"rollout restarts":             `rolloutRestart: [{kind: Deployment, name: a}, {kind: StatefulSet, name: a}, {kind: DaemonSet, name: b.c-d}]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := dryRun(t, spec); err != nil {
				t.Errorf("refused: %v", err)
			}
		})
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	oauth2 := func(url string) string { return fmt.Sprintf("provider: {oauth2: {tokenURL: %q}}", url) }
	auth0 := func(domain string) string { return fmt.Sprintf("provider: {auth0: {domain: %q}}", domain) }
	algonomy := func(validity string) string {
		return fmt.Sprintf(`provider: {algonomy: {url: "https://b2b.example.com", api: Profile, resources: [basic], validity: %q}}`, validity)
	}
	for name, test := range map[string]struct{ spec, says string }{
		"no provider":                 {`provider: {}`, "exactly one provider must be set"},
		"two providers":               {`provider: {apsis: {}, basic: {}}`, "exactly one provider must be set"},
		"experiture without URL":      {`provider: {experiture: {}}`, "spec.provider.experiture.tokenURL: Required value"},
		"algonomy without URL":        {`provider: {algonomy: {api: Profile}}`, "spec.provider.algonomy.url: Required value"},
		"algonomy without API":        {`provider: {algonomy: {url: "https://b2b.example.com"}}`, "spec.provider.algonomy.api: Required value"},
		"algonomy with another API":   {`provider: {algonomy: {url: "https://b2b.example.com", api: Other}}`, `supported values: "Profile", "GDPR"`},
		"adobe with neither flow":     {`provider: {adobe: {organizationID: A}}`, "exactly one of scopes"},
		"adobe with both flows":       {`provider: {adobe: {organizationID: A, scopes: [a], serviceAccount: {technicalAccountID: x, metascopes: [a]}}}`, "exactly one of scopes"},
		"http":                        {oauth2("http://auth.example.com/token"), "must be an https URL with a host"},
		"no scheme":                   {oauth2("auth.example.com/token"), "must be an https URL with a host"},
		"scheme alone":                {oauth2("https://"), "must be an https URL with a host"},
		"port alone":                  {oauth2("https://:8443/token"), "must be an https URL with a host"},
		"a space in the host":         {oauth2("https://auth example.com/token"), "must be an https URL with a host"},
		"user info":                   {oauth2("https://user:pass@auth.example.com/token"), "must have no user info"},
		"user info without password":  {oauth2("https://user@auth.example.com/token"), "must have no user info"},
		"empty user info":             {oauth2("https://@auth.example.com/token"), "must have no user info"},
		"a fragment":                  {oauth2("https://auth.example.com/token#a"), "no fragment"},
		"a decimal host":              {oauth2("https://2130706433/token"), "no IP address in its usual form"},
		"a hexadecimal host":          {oauth2("https://0x7f000001/token"), "no IP address in its usual form"},
		"an octal host":               {oauth2("https://0177.0.0.1/token"), "no IP address in its usual form"},
		"a short host":                {oauth2("https://127.1/token"), "no IP address in its usual form"},
		"a dot after an address":      {oauth2("https://127.0.0.1./token"), "no IP address in its usual form"},
		"five numbers":                {oauth2("https://1.2.3.4.5/token"), "no IP address in its usual form"},
		"a number too large":          {oauth2("https://1.2.3.256/token"), "no IP address in its usual form"},
		"a name that ends in one":     {oauth2("https://example.1/token"), "no IP address in its usual form"},
		"a hexadecimal last label":    {oauth2("https://example.0x7F:8443/token"), "no IP address in its usual form"},
		"verify by http":              {`verify: {url: "http://api.apsis.one/a"}`, "must be an https URL with a host"},
		"domain with scheme":          {auth0("https://auth.example.com"), "must be a host or host:port"},
		"domain with path":            {auth0("auth.example.com/"), "must be a host or host:port"},
		"domain with query":           {auth0("auth.example.com?a"), "must be a host or host:port"},
		"domain with fragment":        {auth0("auth.example.com#a"), "must be a host or host:port"},
		"domain with user info":       {auth0("user@auth.example.com"), "must be a host or host:port"},
		"domain with backslash":       {auth0(`auth.example.com\a`), "must be a host or host:port"},
		"domain with space":           {auth0("auth.example.com a"), "must be a host or host:port"},
		"domain with empty port":      {auth0("auth.example.com:"), "must be a host or host:port"},
		"domain with two ports":       {auth0("auth.example.com:1:2"), "must be a host or host:port"},
		"port for a domain":           {auth0(":8443"), "must be a host or host:port"},
		"domain that is a number":     {auth0("2130706433:8443"), "no IP address in its usual form"},
		"domain that is octal":        {auth0("0177.0.0.1"), "no IP address in its usual form"},
		"validity of half a minute":   {algonomy("90s"), "must be whole minutes above zero"},
		"validity and a nanosecond":   {algonomy("1m1ns"), "spec.provider.algonomy.validity"},
		"validity of nothing":         {algonomy("0m"), "must be whole minutes above zero"},
		"validity in days":            {algonomy("1d"), "spec.provider.algonomy.validity"},
		"a negative validity":         {algonomy("-5m"), "spec.provider.algonomy.validity"},
		"a duration without unit":     {`refresh: {before: "10"}`, "spec.refresh.before"},
		"a duration of nothing":       {`refresh: {before: 0s}`, "must be above zero"},
		"a negative duration":         {`refresh: {before: -1m}`, "spec.refresh.before"},
		"an empty duration":           {`refresh: {before: ""}`, "spec.refresh.before"},
		"a duration that overflows":   {`refresh: {before: 99999999999h}`, "spec.refresh.before"},
		"no default lifetime":         {`provider: {oauth2: {tokenURL: "https://a.example.com", defaultLifetime: 0s}}`, "must be above zero"},
		"no interval":                 {`verify: {url: "https://a.example.com", interval: 0s}`, "must be above zero"},
		"no budget":                   {`refresh: {maxPerDay: 0}`, "spec.refresh.maxPerDay"},
		"another auth method":         {`provider: {oauth2: {tokenURL: "https://a.example.com", authMethod: Digest}}`, "spec.provider.oauth2.authMethod"},
		"another format":              {`provider: {oauth2: {tokenURL: "https://a.example.com", requestFormat: XML}}`, "spec.provider.oauth2.requestFormat"},
		"another unit":                {`provider: {oauth2: {tokenURL: "https://a.example.com", response: {expiresInUnit: Hours}}}`, "expiresInUnit"},
		"a header with a line break":  {`provider: {oauth2: {tokenURL: "https://a.example.com", headers: {a: "b\nc"}}}`, "spec.provider.oauth2.headers"},
		"template data named token":   {`target: {name: t, data: {token: x}}`, "the key token always holds the raw token"},
		"a data key with a slash":     {`target: {name: t, data: {a/b: x}}`, "must be a Secret's key"},
		"a data key of two dots":      {`target: {name: t, data: {"..": x}}`, "must be a Secret's key"},
		"a data key too long":         {`target: {name: t, data: {` + strings.Repeat("a", 254) + `: x}}`, "must be a Secret's key"},
		"the client Secret's name":    {`target: {name: etl-client}`, "target.name must not be the client Secret's own name"},
		"no target name":              {`target: {}`, "spec.target.name: Required value"},
		"a target name too odd":       {`target: {name: A_b}`, "spec.target.name"},
		"a label key with a space":    {`target: {name: t, labels: {"a b": x}}`, "must be a label key"},
		"a label key of two slashes":  {`target: {name: t, labels: {a/b/c: x}}`, "must be a label key"},
		"a label key too long":        {`target: {name: t, labels: {` + strings.Repeat("a", 64) + `: x}}`, "must be a label key"},
		"a label value with a space":  {`target: {name: t, labels: {a: "b c"}}`, "spec.target.labels.a"},
		"a label value too long":      {`target: {name: t, labels: {a: ` + strings.Repeat("b", 64) + `}}`, "spec.target.labels.a"},
		"an annotation key, empty":    {`target: {name: t, annotations: {"": x}}`, "must be an annotation key"},
		"an annotation key, odd":      {`target: {name: t, annotations: {"a/": x}}`, "must be an annotation key"},
		"our own annotation":          {`target: {name: t, annotations: {cdpcredentials.io/credential: x}}`, "the operator's own"},
		"our own label":               {`target: {name: t, labels: {app.kubernetes.io/managed-by: x}}`, "the operator's own"},
		"another deletion policy":     {`target: {name: t, deletionPolicy: Orphan}`, "spec.target.deletionPolicy"},
		"a workload of any kind":      {`rolloutRestart: [{kind: CronJob, name: a}]`, `supported values: "Deployment", "StatefulSet", "DaemonSet"`},
		"a workload without a name":   {`rolloutRestart: [{kind: Deployment}]`, "spec.rolloutRestart[0].name: Required value"},
		"a workload elsewhere":        {`rolloutRestart: [{kind: Deployment, name: kube-system/coredns}]`, "spec.rolloutRestart[0].name"},
		"a workload up a folder":      {`rolloutRestart: [{kind: Deployment, name: ../../../secrets/a}]`, "spec.rolloutRestart[0].name"},
		"a workload named twice":      {`rolloutRestart: [{kind: Deployment, name: a}, {kind: Deployment, name: a}]`, "Duplicate value"},
		"too many workloads":          {`rolloutRestart: [` + manyWorkloads(17) + `]`, "spec.rolloutRestart: Too many"},
		"a CA that is no base64":      {`tls: {caBundle: "-----BEGIN"}`, "spec.tls.caBundle"},
		"a CA with a line break":      {`tls: {caBundle: "aGVsbG8=\n"}`, "spec.tls.caBundle"},
		"a CA cut off":                {`tls: {caBundle: aGVsb}`, "spec.tls.caBundle"},
		"another issuance":            {`refresh: {issuance: Rarely}`, `supported values: "Auto", "OneActive"`},
		"templates of over 64 KiB":    {`target: {name: t, data: {a: "` + strings.Repeat("a", 32<<10) + `", b: "` + strings.Repeat("ä", 16<<10+1) + `"}}`, "all templates together may have 64 KiB"},
		"annotations of over 64 KiB":  {`target: {name: t, annotations: {` + manyValues(17, 4096) + `}}`, "labels and annotations may have 64 KiB together"},
		"annotations, by bytes":       {`target: {name: t, annotations: {` + strings.ReplaceAll(manyValues(15, 3000), "x", "ä") + `}}`, "labels and annotations may have 64 KiB together"},
		"parameters of over 64 KiB":   {`provider: {oauth2: {tokenURL: "https://a.example.com", parameters: {` + manyValues(9, 4096) + `}, headers: {` + manyValues(8, 4096) + `}}}`, "parameters and headers may have 64 KiB together"},
		"resources, by bytes":         {`provider: {oauth2: {tokenURL: "https://a.example.com", resources: [` + strings.Repeat(strings.Repeat("ä", 2048)+", ", 4) + `"a"]}}`, "resources may have 16 KiB together"},
		"a CA of over 64 KiB":         {`tls: {caBundle: ` + strings.Repeat("aGVs", 21847) + `}`, "spec.tls.caBundle: Too long"},
		"a parameter's name too long": {`provider: {oauth2: {tokenURL: "https://a.example.com", parameters: {` + strings.Repeat("a", 257) + `: x}}}`, "at most 256 characters"},
		"a header's name too long":    {`provider: {oauth2: {tokenURL: "https://a.example.com", headers: {` + strings.Repeat("a", 257) + `: x}}}`, "at most 256 characters"},
		"the token as its lifetime":   {`provider: {oauth2: {tokenURL: "https://a.example.com", response: {expiresInField: access_token}}}`, "must name different members"},
		"a lifetime in the token":     {`provider: {oauth2: {tokenURL: "https://a.example.com", response: {tokenField: data, expiresInField: data.ttl}}}`, "must name different members"},
		"a scope with a space":        {`provider: {oauth2: {tokenURL: "https://a.example.com", scopes: ["a b"]}}`, "spec.provider.oauth2.scopes[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := dryRun(t, test.spec)
			if !apierrors.IsInvalid(err) {
				t.Fatalf("not refused as invalid: %v", err)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("says %q, not %q", err, test.says)
			}
		})
	}
}

// manyValues returns the members of a map: n keys with values of that many characters.
func manyValues(n, size int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("k%d: %s", i, strings.Repeat("x", size))
	}
	return strings.Join(list, ", ")
}

func manyWorkloads(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("{kind: Deployment, name: w%d}", i)
	}
	return strings.Join(list, ", ")
}

// A schema default in spec would show up as a permanent difference in GitOps tools.
func TestSchemaDefaultsNothing(t *testing.T) {
	t.Parallel()
	for _, provider := range []string{
		`{adobe: {organizationID: A, scopes: [a]}}`, `{apsis: {}}`, `{algonomy: {url: "https://a.example.com", api: GDPR, resources: [a]}}`,
		`{auth0: {domain: a.example.com}}`, `{oauth2: {tokenURL: "https://a.example.com", response: {}}}`, `{basic: {}}`,
	} {
		var sent map[string]any
		spec := "provider: " + provider + "\nclientSecretRef: {name: c, keys: {}}\ntls: {}\ntarget: {name: t}\nrefresh: {}\nverify: {url: \"https://a.example.com\"}"
		if err := yaml.Unmarshal([]byte(spec), &sent); err != nil {
			t.Fatal(err)
		}
		obj := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(base), &obj.Object); err != nil {
			t.Fatal(err)
		}
		obj.Object["spec"] = sent
		want, err := json.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		if err := apiServer.Create(t.Context(), obj, client.DryRunAll); err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(obj.Object["spec"])
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("sent %s\n got %s", want, got)
		}
	}
}
