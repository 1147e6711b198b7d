// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

var link = regexp.MustCompile(`\]\(([\w./#:@%~?=&+-]+)\)`)

// TestLinksOfThePagesResolve checks that the links between pages, and to their headings, resolve.
func TestLinksOfThePagesResolve(t *testing.T) {
	t.Parallel()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for page := range pages(t, root) {
		content, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(content), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, heading, _ := strings.Cut(m[1], "#")
			to := filepath.Join(root, page)
			if file != "" {
				to = filepath.Join(filepath.Dir(to), file)
			}
			if err := leads(to, heading); err != "" {
				t.Errorf("%s: the link to %s: %s", page, m[1], err)
			}
		}
	}
}

// leads returns what is wrong with a link to a heading of a file; an empty heading is the file itself.
func leads(file, heading string) string {
	content, err := os.ReadFile(file)
	if heading == "" {
		if _, err := os.Stat(file); err != nil {
			return "there is no such file"
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	for line := range strings.SplitSeq(string(content), "\n") {
		if strings.HasPrefix(line, "#") && anchor(strings.TrimSpace(strings.TrimLeft(line, "#"))) == heading || strings.Contains(line, `id="`+heading+`"`) || strings.Contains(line, `name="`+heading+`"`) {
			return ""
		}
	}
	return "the page has no such heading"
}

var dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// anchor returns GitHub's anchor of a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ToLower(dropped.ReplaceAllString(heading, "")), " ", "-")
}
