package watch

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// program gives the path of prometheus or promtool. Where there is none, and none can be had, the test is skipped. In CI that is a
// failure, else nobody would notice.
func program(t *testing.T, name string) string {
	t.Helper()
	folder, err := programs(t)
	if err != nil {
		why := "there is no Prometheus (see hack/prometheus.sh): " + err.Error()
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	return filepath.Join(folder, name)
}

var foundPrograms struct {
	sync.Mutex
	folder string
}

// programs is the folder of prometheus and promtool.
func programs(t *testing.T) (string, error) {
	t.Helper()
	foundPrograms.Lock()
	defer foundPrograms.Unlock()
	if foundPrograms.folder != "" {
		return foundPrograms.folder, nil
	}
	var err error
	foundPrograms.folder, err = framework.Output(framework.Command(t.Context(), moduleRoot(t), "hack/prometheus.sh"))
	return foundPrograms.folder, err
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// read gives a file of the repository.
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
