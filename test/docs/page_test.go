// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A block is the text between two fences.
type block struct {
	line     int // number of its first line
	language string
	marker   string // the comment before it
	heading  string // the heading above it
	text     string
}

// blocksOf returns the blocks of a page.
func blocksOf(page string) ([]block, error) {
	var found []block
	var open *block
	var text []string
	before, heading := "", ""
	for i, line := range strings.Split(page, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case open == nil && isFence:
			marker, ok := strings.CutPrefix(before, "<!--")
			if ok {
				marker = strings.TrimSpace(strings.TrimSuffix(marker, "-->"))
			} else {
				marker = ""
			}
			open, text = &block{line: i + 2, language: fence, marker: marker, heading: heading}, nil
		case open != nil && isFence:
			open.text = strings.Join(text, "\n")
			found = append(found, *open)
			open = nil
		case open != nil:
			text = append(text, line)
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
		before = strings.TrimSpace(line)
	}
	if open != nil {
		return nil, fmt.Errorf("the block at line %d has no end", open.line)
	}
	return found, nil
}

// pages returns the blocks of the repository's documents, by name.
func pages(t *testing.T, root string) map[string][]block {
	t.Helper()
	all := map[string][]block{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || slices.Contains([]string{"bin", "dist", "node_modules", "testdata"}, entry.Name())) {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if all[name], err = blocksOf(string(content)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBlocksOfAPage(t *testing.T) {
	t.Parallel()
	got, err := blocksOf("text\n\n<!-- run -->\n```sh\nmake demo\n# a comment\n```\n\n## Next\n\n```yaml\na: b\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []block{{5, "sh", "run", "", "make demo\n# a comment"}, {12, "yaml", "", "Next", "a: b"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := blocksOf("```sh\nmake demo\n"); err == nil {
		t.Error("a block without an end is not reported")
	}
}
