// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// program returns the path of prometheus or promtool, in the version that hack/tools/prometheus pins.
func program(t *testing.T, name string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if built.folder == "" {
		folder, err := framework.Output(framework.Command(t.Context(), moduleRoot(t), "hack/prometheus.sh"))
		if err != nil {
			t.Fatal(err)
		}
		built.folder = folder
	}
	return filepath.Join(built.folder, name)
}

// built.folder is what hack/prometheus.sh printed.
var built struct {
	sync.Mutex
	folder string
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// read returns a file of the repository.
func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(moduleRoot(t), path))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
