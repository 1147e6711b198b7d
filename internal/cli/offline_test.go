// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/internal/credential"
)

// What needs no cluster.

type ran struct {
	code     int
	out, err string
}

func run(t *testing.T, input string, args ...string) ran {
	t.Helper()
	var out, errs bytes.Buffer
	code := Run(t.Context(), append(args, "--kubeconfig", filepath.Join(t.TempDir(), "none")), Environment{
		In: strings.NewReader(input), Out: &out, Err: &errs, Now: func() time.Time { return now }, Getenv: func(string) string { return "" }, Version: "v0",
	})
	return ran{code, out.String(), errs.String()}
}

func TestRenderEachSample(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../config/samples/cdpcredentials_*.yaml")
	if err != nil || len(files) < 9 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		got := run(t, "", "render", "-f", file)
		if got.code != 0 || !strings.Contains(got.out, "would hold:\n") {
			t.Errorf("%s: exit code %d: %s", file, got.code, got.err)
		}
		golden(t, "render/"+strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "cdpcredentials_v1alpha1_"), ".yaml")+".txt", got.out)
	}
}

const manifestHead = "apiVersion: cdpcredentials.io/v1alpha1\nkind: CDPCredential\nmetadata: {name: etl}\nspec:\n  provider: {apsis: {}}\n  clientSecretRef: {name: c}\n"

func TestRenderSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		manifest, want string
		code           int
	}{
		"good":         {manifestHead + "  target: {name: t, data: {h: 'Bearer {{ .token }}'}}\n", "h: Bearer <token>", 0},
		"decides":      {manifestHead + "  target: {name: t, data: {h: '{{ if .token }}x{{ end }}'}}\n", "spec.target.data.", 3},
		"syntax":       {manifestHead + "  target: {name: t, data: {h: '{{ .token'}}\n", "spec.target.data.", 3},
		"label":        {manifestHead + "  target: {name: t, labels: {app.kubernetes.io/instance: x}}\n", "--allowed-target-metadata", 3},
		"typo":         {manifestHead + "  target: {nam: t}\n", "unknown field", 1},
		"no provider":  {strings.Replace(manifestHead, "{apsis: {}}", "{}", 1) + "  target: {name: t}\n", "spec.provider", 3},
		"two objects":  {manifestHead + "  target: {name: t}\n---\n" + manifestHead + "  target: {name: t}\n", "has 2 CDPCredentials", 2},
		"another kind": {"apiVersion: v1\nkind: ConfigMap\n", "has 0 CDPCredentials", 2},
		"no YAML":      {"a: b: c\n", "it is no YAML", 1},
		"version":      {strings.Replace(manifestHead, "v1alpha1", "v2", 1), "this program knows cdpcredentials.io/v1alpha1", 1},
	} {
		got := run(t, test.manifest, "render", "-f", "-")
		if got.code != test.code || !strings.Contains(got.out+got.err, test.want) {
			t.Errorf("%s: exit code %d, want %d and %q: %s%s", name, got.code, test.code, test.want, got.out, got.err)
		}
	}
}

func TestCreateWritesAManifestThatTheOperatorTakes(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"adobe":      {"--organization-id", "A@AdobeOrg", "--scope", "openid,AdobeID"},
		"algonomy":   {"--url", "https://algonomy.example.com", "--api", "Profile", "--resource", "basic", "--validity", "300m"},
		"apsis":      nil,
		"auth0":      {"--domain", "auth.example.com", "--audience", "https://api.example.com"},
		"basic":      nil,
		"experiture": {"--url", "https://auth.example.com/token"},
		"oauth2":     {"--url", "https://auth.example.com/token", "--scope", "a", "--scope", "b", "--auth-method", "PrivateKeyJWT"},
	} {
		got := run(t, "", append([]string{"create", name, "etl"}, args...)...)
		if got.code != 0 {
			t.Errorf("%s: exit code %d: %s", name, got.code, got.err)
			continue
		}
		golden(t, "create/"+name+".yaml", got.out)
		golden(t, "create/"+name+".txt", got.err)
		var m manifest
		if err := m.add([]byte(got.out)); err != nil || len(m.objects) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if desired, err := credential.DesiredFlowOf(&m.objects[0].Spec); err != nil || desired.Flow.Provider != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"give a provider and a name":                {"apsis"},
		"there is no provider \"acme\"":             {"acme", "etl"},
		"auth0 needs --domain":                      {"auth0", "etl"},
		"adobe needs --organization-id and --scope": {"adobe", "etl"},
		"the values of a Secret are never printed":  {"apsis", "etl", "--with-secret"},
		"--dry-run client or none":                  {"apsis", "etl", "--dry-run", "server"},
		"https":                                     {"oauth2", "etl", "--url", "http://auth.example.com/token"},
	} {
		if got := run(t, "", append([]string{"create"}, args...)...); got.code != 2 || !strings.Contains(got.err, want) {
			t.Errorf("%v: exit code %d, want 2 and %q: %s", args, got.code, want, got.err)
		}
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"status\t":                {"__complete", "st"},
		"experiture":              {"__complete", "create", ""},
		"json\n":                  {"__complete", "status", "etl", "-o", ""},
		"__start_kubectl-cdpcred": {"completion", "bash"},
	} {
		var out, errs bytes.Buffer
		code := Run(t.Context(), args, Environment{In: strings.NewReader(""), Out: &out, Err: &errs, Now: func() time.Time { return now }, Getenv: func(string) string { return "" }})
		if code != 0 || !strings.Contains(out.String(), want) {
			t.Errorf("%v: exit code %d, want %q: %.200s%s", args, code, want, out.String(), errs.String())
		}
	}
}
