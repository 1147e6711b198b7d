// SPDX-License-Identifier: Apache-2.0

package render

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestFunctionsAreDocumented: docs/providers.md and the API field's text name every function that a template may use.
func TestFunctionsAreDocumented(t *testing.T) {
	t.Parallel()
	read := func(path string) string {
		content, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	_, page, _ := strings.Cut(read("docs/providers.md"), "\n## Templates\n")
	page, _, _ = strings.Cut(page, "\n## ")
	_, field, _ := strings.Cut(read("api/v1alpha1/cdpcredential_types.go"), "Functions: ")
	field, _, _ = strings.Cut(field, "kubectl cdpcred render")
	names := []string{"len", "and", "or", "not"} // text/template's own
	for name := range functions {
		names = append(names, name)
	}
	for _, name := range names {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/providers.md does not name %s", name)
		}
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(field) {
			t.Errorf("the text of spec.target.data does not name %s", name)
		}
	}
}
