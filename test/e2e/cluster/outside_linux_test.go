// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMountPointThatAnotherProgramFilledIsLeftWithoutError: only empty folders are removed, and others cause no error.
func TestMountPointThatAnotherProgramFilledIsLeftWithoutError(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	empty, filled, gone := filepath.Join(top, "empty"), filepath.Join(top, "filled"), filepath.Join(top, "gone")
	others := filepath.Join(filled, "others")
	for _, folder := range []string{empty, others} {
		if err := os.MkdirAll(folder, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeMountPoints([]string{filled, empty, gone}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(empty); !os.IsNotExist(err) {
		t.Errorf("the empty folder: %v", err)
	}
	if _, err := os.Stat(others); err != nil {
		t.Errorf("what another program made: %v", err)
	}
	if err := removeMountPoints([]string{"/proc/self"}); err == nil {
		t.Error("a mount point that cannot be removed is not reported")
	}
}
