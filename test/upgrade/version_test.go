// SPDX-License-Identifier: Apache-2.0

package upgrade

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// A version is a state of the sources and the manager built from them.
type version struct {
	root, manager string
}

// today returns the version of the working tree.
func today(t *testing.T) version {
	t.Helper()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return built(t, root)
}

// at returns the version of a commit, false if the clone's history does not include it.
func at(t *testing.T, commit string) (version, bool) {
	t.Helper()
	here, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	archive := exec.CommandContext(t.Context(), "git", "archive", commit, "go.mod", "go.sum", "api", "cmd", "config", "controllers", "internal")
	archive.Dir = here
	var said bytes.Buffer
	archive.Stderr = &said
	sources, err := archive.Output()
	if err != nil {
		t.Logf("git archive %s: %v: %s", commit, err, said.String())
		return version{}, false
	}
	root := t.TempDir()
	unpack := exec.CommandContext(t.Context(), "tar", "-x", "-C", root)
	unpack.Stdin = bytes.NewReader(sources)
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("unpack the sources of %s: %v: %s", commit, err, out)
	}
	return built(t, root), true
}

func built(t *testing.T, root string) version {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "bin")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	binary, err := framework.BuildManager(t.Context(), root, folder)
	if err != nil {
		t.Fatal(err)
	}
	return version{root: root, manager: binary}
}
