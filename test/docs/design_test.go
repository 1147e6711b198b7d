// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDesignNamesEveryDependency: docs/design.md gives a reason for each module that go.mod requires directly, and for no other.
func TestDesignNamesEveryDependency(t *testing.T) {
	t.Parallel()
	content := func(name string) string {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var required, explained []string
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v\S+$`).FindAllStringSubmatch(content("go.mod"), -1) {
		required = append(required, m[1]) // indirect ones have a comment
	}
	_, section, _ := strings.Cut(content("docs/design.md"), "\n## Dependencies\n")
	section, _, _ = strings.Cut(section, "\n**")
	for _, m := range regexp.MustCompile(`(?m)^\| (\S+) \| \S`).FindAllStringSubmatch(section, -1) {
		if m[1] != "module" {
			explained = append(explained, m[1])
		}
	}
	slices.Sort(required)
	slices.Sort(explained)
	if diff := cmp.Diff(required, explained); diff != "" {
		t.Errorf("go.mod (-) and docs/design.md (+) differ: %s", diff)
	}
}
