// SPDX-License-Identifier: Apache-2.0

package framework

import "testing"

func TestGoRunFolderIsFoundInThePath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/tmp/go-build123/b001/exe/demo": "/tmp/go-build123",
		"/usr/local/bin/demo":            "",
		"/tmp/go-build/b001/exe/soak":    "",
	} {
		got := ""
		if found := goRunFolder.FindStringSubmatch(path); found != nil {
			got = found[1]
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}
