// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const ours = "<!-- run by: TestInstallPage -->\n```sh\n"

// TestInstallPage follows the pages, one section after the other, each with an empty cluster and the same clone of the repository.
func TestInstallPage(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for page, want := range map[string]int{"docs/install.md": 11, chart + "/README.md": 1} {
		content, err := os.ReadFile(filepath.Join(root(t), page))
		if err != nil {
			t.Fatal(err)
		}
		tried := 0
		for _, section := range regexp.MustCompile(`(?m)^#+ `).Split(string(content), -1) {
			title, text, _ := strings.Cut(section, "\n")
			var commands []string
			for {
				var found bool
				if _, text, found = strings.Cut(text, ours); !found {
					break
				}
				var block string
				block, text, _ = strings.Cut(text, "```\n")
				commands = append(commands, block)
			}
			if len(commands) == 0 {
				continue
			}
			tried++
			t.Run(filepath.Base(page)+"/"+title, func(t *testing.T) {
				r := &reader{T: t, Cluster: r.Cluster, clone: r.clone, path: r.path}
				defer r.empty()
				for _, block := range commands {
					r.sh(block)
				}
				if title == "Uninstall" {
					r.absent(crd)
					return
				}
				r.sh("kubectl get " + manager)
			})
		}
		if tried != want {
			t.Errorf("%s: %d sections were run, want %d", page, tried, want)
		}
	}
}
