// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// An overlay is the new text of files, by path from the repository's root, for the go command's -overlay.
type overlay map[string][]byte

// write writes the file for -overlay, and the files that it names, into a folder.
func (o overlay) write(folder string) (string, error) {
	replace := map[string]string{}
	for file, text := range o {
		original, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		replacement := filepath.Join(folder, fmt.Sprintf("%d-%s", len(replace), filepath.Base(file)))
		if err := os.WriteFile(replacement, text, 0o600); err != nil {
			return "", err
		}
		replace[original] = replacement
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(folder, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}
