// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// TestExamplesMatchTheSchema validates every example with kubeconform against the JSON schema that editors use: the samples, the GitOps example, and
// the CDPCredentials in the pages. An unknown field is an error. Other kinds are skipped, because their schemas would have to be downloaded.
func TestExamplesMatchTheSchema(t *testing.T) {
	t.Parallel()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	inPages := 0
	for page, blocks := range pages(t, root) {
		for _, b := range blocks {
			if b.language == "yaml" && strings.Contains(b.text, "kind: CDPCredential\n") {
				inPages++
				name := fmt.Sprintf("%s-%d.yaml", strings.ReplaceAll(page, "/", "-"), b.line)
				if err := os.WriteFile(filepath.Join(folder, name), []byte(b.text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if inPages < 10 {
		t.Errorf("the pages have only %d CDPCredentials", inPages)
	}
	if out, err := kubeconform(t, root, folder, "config/samples", "gitops/example/credentials/credential.yaml"); err != nil {
		t.Errorf("%v: %s", err, out)
	}

	// Control: it finds mistakes.
	sample, err := os.ReadFile(filepath.Join(root, "config/samples/cdpcredentials_v1alpha1_apsis.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for mistake, says := range map[[2]string]string{
		{"clientSecretRef:", "clientSecretReff:"}: "clientSecretReff",
		{"    name: apsis-token", "    name: 7"}:  "got number, want string",
		{"v1alpha1\n", "v1alpha2\n"}:              "could not find schema",
	} {
		bad := bytes.Replace(sample, []byte(mistake[0]), []byte(mistake[1]), 1)
		file := filepath.Join(t.TempDir(), "bad.yaml")
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := kubeconform(t, root, "-ignore-missing-schemas=false", "-skip=Secret", file); err == nil || !strings.Contains(out, says) {
			t.Errorf("with %q: %v, %s", mistake[1], err, out)
		}
	}
}

func kubeconform(t *testing.T, root string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{
		"tool", "-modfile=hack/tools/kubeconform/go.mod", "kubeconform", "-strict", "-ignore-missing-schemas",
		"-ignore-filename-pattern=kustomization.yaml", "-schema-location=schemas/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json",
	}, args...)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestSamplesNameTheirSchema: each sample names its schema for editors, at an address of a file in this repository.
func TestSamplesNameTheirSchema(t *testing.T) {
	t.Parallel()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const raw = "https://raw.githubusercontent.com/cdpcredentials/cdp-credential-operator/main/"
	line := regexp.MustCompile(`(?m)^# yaml-language-server: \$schema=(\S+)\napiVersion: cdpcredentials.io/v1alpha1\nkind: CDPCredential$`)
	samples, err := filepath.Glob(filepath.Join(root, "config/samples/cdpcredentials_*.yaml"))
	if err != nil || len(samples) == 0 {
		t.Fatalf("%d samples, %v", len(samples), err)
	}
	for _, sample := range samples {
		content, err := os.ReadFile(sample)
		if err != nil {
			t.Fatal(err)
		}
		found := line.FindSubmatch(content)
		if found == nil {
			t.Errorf("%s does not name a schema", sample)
			continue
		}
		file, ok := strings.CutPrefix(string(found[1]), raw)
		if _, err := os.Stat(filepath.Join(root, file)); err != nil || !ok {
			t.Errorf("%s: %s does not exist: %v", sample, found[1], err)
		}
	}
}
