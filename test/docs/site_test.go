// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// TestSiteListsEveryPageOfDocs: site/pages.json, from which the site's sidebar is generated, lists each page of docs/ once, and only existing files.
func TestSiteListsEveryPageOfDocs(t *testing.T) {
	t.Parallel()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(root, "site/pages.json"))
	if err != nil {
		t.Fatal(err)
	}
	var groups []struct {
		Items []struct{ Text, File string }
	}
	if err := json.Unmarshal(content, &groups); err != nil {
		t.Fatal(err)
	}
	all := pages(t, root)
	var listed, written []string
	for _, group := range groups {
		for _, item := range group.Items {
			if _, ok := all[item.File]; !ok {
				t.Errorf("site/pages.json: the page %s does not exist", item.File)
			}
			if strings.HasPrefix(item.File, "docs/") {
				listed = append(listed, item.File)
			}
		}
	}
	for name := range all {
		if strings.HasPrefix(name, "docs/") {
			written = append(written, name)
		}
	}
	slices.Sort(listed)
	slices.Sort(written)
	if diff := cmp.Diff(written, listed); diff != "" {
		t.Errorf("docs/ (-) and site/pages.json (+) differ: give a new page a place in site/pages.json: %s", diff)
	}
}
