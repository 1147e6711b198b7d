// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// An overlay is what the go command reads instead of files of the repository: their new text by their path from its root.
type overlay map[string][]byte

// write makes the file for -overlay, and all that it names, in a folder.
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
