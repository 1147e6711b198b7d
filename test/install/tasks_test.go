// SPDX-License-Identifier: Apache-2.0

package install

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	taskBlock = regexp.MustCompile("(?s)<!-- run by: TestTaskPages -->\n```sh\n(.*?)```\n")
	refused   = regexp.MustCompile(`(?m)^(.+?) +# refused: .*$`)
)

// TestTaskPages follows the pages for a platform team and for an upgrade, in one cluster. A command whose comment says that it is refused must be
// refused.
func TestTaskPages(t *testing.T) {
	t.Parallel()
	r := newReader(t)
	for _, page := range []string{"shared-cluster.md", "upgrade.md"} {
		content, err := os.ReadFile(filepath.Join(root(t), "docs/tasks", page))
		if err != nil {
			t.Fatal(err)
		}
		blocks := taskBlock.FindAllStringSubmatch(string(content), -1)
		if len(blocks) == 0 {
			t.Fatalf("%s has no commands for this test", page)
		}
		known := "" // the page's shell functions so far
		for _, block := range blocks {
			rest := refused.ReplaceAllString(block[1], "")
			for _, line := range refused.FindAllStringSubmatch(block[1], -1) {
				r.isRefused(t, known+functions(rest)+line[1])
			}
			r.sh(known + rest)
			known += functions(rest)
		}
	}
}

// isRefused waits until commands fail: the API server needs a moment to enforce a new admission policy.
func (r *reader) isRefused(t *testing.T, commands string) {
	t.Helper()
	commands = strings.ReplaceAll(commands, "apply -f -", "apply --dry-run=server -f -")
	for deadline := time.Now().Add(30 * time.Second); ; {
		out, err := r.try(commands)
		if err != nil {
			if !strings.Contains(out, "orbidden") && !strings.Contains(out, "denied request") {
				t.Errorf("the command failed, but was not refused: %v", err)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the command was not refused: %s: %s", commands, out)
		}
	}
}

// functions returns the shell functions that some commands define.
func functions(commands string) string {
	return strings.Join(regexp.MustCompile(`(?ms)^\w+\(\) \{.*?\}$`).FindAllString(commands, -1), "\n") + "\n"
}
