// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/internal/cli"
)

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// TestCredentialsOfThePageHaveTheHeaders renders the CDPCredentials of examples/README.md: their target Secrets have the headers that the programs send.
func TestCredentialsOfThePageHaveTheHeaders(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	var mounted []string
	for _, block := range yamlBlock.FindAllStringSubmatch(string(content), -1) {
		for document := range strings.SplitSeq(block[1], "---\n") {
			var object struct {
				metav1.TypeMeta   `json:",inline"`
				metav1.ObjectMeta `json:"metadata"`
				Spec              corev1.PodSpec `json:"spec"` // of a pod
			}
			if err := yaml.Unmarshal([]byte(document), &object); err != nil {
				t.Fatal(err)
			}
			switch object.Kind {
			case "CDPCredential":
				got[object.Name] = keysOf(t, document)
			case "Pod":
				for _, item := range object.Spec.Volumes[0].Secret.Items {
					mounted = append(mounted, item.Path)
				}
			}
		}
	}
	adobe := []string{"Authorization", "x-api-key", "x-gw-ims-org-id", "x-sandbox-name"}
	want := map[string][]string{"headers": adobe, "algonomy-headers": {"access_token", "tenant_hash"}, "proxied": {"headers.conf"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys of the target Secrets, without token: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(adobe, mounted); diff != "" {
		t.Errorf("keys that the pod mounts: -want +got:\n%s", diff)
	}
}

// keysOf returns the keys of the target Secret but token, as kubectl cdpcred render prints them.
func keysOf(t *testing.T, manifest string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := cli.Run(t.Context(), []string{"render", "-f", file}, cli.Environment{
		In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now, Getenv: func(string) string { return "" },
	}); code != 0 {
		t.Fatalf("render: exit code %d: %s", code, errs.String())
	}
	var keys []string
	for line := range strings.Lines(out.String()) {
		if key, _, found := strings.Cut(strings.TrimPrefix(line, "  "), ": "); found && key != "token" {
			keys = append(keys, key)
		}
	}
	return slices.Sorted(slices.Values(keys))
}
