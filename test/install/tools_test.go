// SPDX-License-Identifier: Apache-2.0

package install

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

const (
	chart = "charts/cdp-credential-operator"
	// release is the name of the release whose objects have the same names as those of config/.
	release   = "cdp-credential-operator"
	namespace = "cdp-credential-operator-system"
)

var (
	helm      = sync.OnceValues(func() (string, error) { return built("hack/tools/helm/go.mod", "helm") })
	helm4     = sync.OnceValues(func() (string, error) { return built("hack/tools/helm4/go.mod", "helm") })
	kustomize = sync.OnceValues(func() (string, error) { return built("hack/tools/go.mod", "kustomize") })
)

// built returns the path of a tool. The go command builds it if necessary, and caches it.
func built(modfile, tool string) (string, error) {
	out, err := exec.Command("go", "tool", "-modfile="+filepath.Join("../..", modfile), "-n", tool).Output()
	if err != nil {
		return "", fmt.Errorf("build %s: %w", tool, err)
	}
	return strings.TrimSpace(string(out)), nil
}

func root(t *testing.T) string {
	t.Helper()
	folder, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// run runs a tool in the repository and returns its standard output, or an error that ends with its standard error.
func run(t *testing.T, tool func() (string, error), args ...string) (string, error) {
	t.Helper()
	file, err := tool()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), file, args...)
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), homes(t.TempDir())...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%w: %s", err, said.String())
	}
	return out.String(), nil
}

// homes keeps Helm out of the user's home.
func homes(folder string) []string {
	return []string{"HELM_CACHE_HOME=" + folder, "HELM_CONFIG_HOME=" + folder, "HELM_DATA_HOME=" + folder}
}

// rendering are the arguments of `helm template` for a cluster. Helm built from its module assumes Kubernetes 1.20.
var rendering = []string{"template", release, chart, "--namespace", namespace, "--kube-version=1.37.0", "--set=image.tag=v1.2.3"}

// template renders the chart as `helm install` would.
func template(t *testing.T, args ...string) string {
	t.Helper()
	out, err := run(t, helm, slices.Concat(rendering, []string{"--skip-tests"}, args)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
