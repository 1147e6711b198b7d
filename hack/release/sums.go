// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// sumsCommand writes SHA256SUMS, in the format of sha256sum, with every file of a folder except itself. The image's folder is left out: its files are
// named by their checksums, and can all be found from image-digests.txt, which is listed.
func sumsCommand(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the folder of the release, got %q", args)
	}
	entries, err := os.ReadDir(args[0])
	if err != nil {
		return err
	}
	const list = "SHA256SUMS"
	var out bytes.Buffer
	for _, e := range entries {
		if e.IsDir() || e.Name() == list {
			continue
		}
		content, err := os.ReadFile(filepath.Join(args[0], e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%x  %s\n", sha256.Sum256(content), e.Name())
	}
	return os.WriteFile(filepath.Join(args[0], list), out.Bytes(), 0o644)
}
