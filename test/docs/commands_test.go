// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
	"github.com/cdpcredentials/cdp-credential-operator/test/framework/clustertest"
)

// TestCommandsOfThePagesWork runs the commands of the pages that are marked as run here, each page in a namespace of its own, and applies their
// CDPCredentials.
func TestCommandsOfThePagesWork(t *testing.T) {
	t.Parallel()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cluster := clustertest.Start(t, framework.Cluster{}, "default")
	for name, blocks := range pages(t, root) {
		t.Run(name, func(t *testing.T) {
			r := newReader(t, cluster)
			for _, b := range blocks {
				r.read(t.Context(), root, name, b)
			}
		})
	}
}

// A reader follows a page.
type reader struct {
	*testing.T
	cluster                       *framework.Cluster
	folder, kubeconfig, namespace string
	programs                      string   // folder with further programs, such as kubectl's plugin
	environment                   []string // further variables
}

// newReader creates a namespace for a reader.
func newReader(t *testing.T, cluster *framework.Cluster) *reader {
	t.Helper()
	r := &reader{T: t, cluster: cluster, folder: t.TempDir(), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "page-"}}
	if err := cluster.Client.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	r.namespace = ns.Name
	if err := r.lookAt(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// lookAt writes a kubeconfig whose default namespace is the page's.
func (r *reader) lookAt(ctx context.Context) error {
	content, err := os.ReadFile(r.cluster.AdminKubeconfig())
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.kubeconfig, content, 0o600); err != nil {
		return err
	}
	return r.bash(ctx, "kubectl config set-context --current --namespace="+r.namespace, nil)
}

func (r *reader) read(ctx context.Context, root, page string, b block) {
	what, detail, _ := strings.Cut(b.marker, ": ")
	switch b.language {
	case "sh":
		switch what {
		case "run":
			if err := r.bash(ctx, b.text, nil); err != nil {
				r.Errorf("%s:%d: %v", page, b.line, err)
			}
		case "run by":
			for who := range strings.SplitSeq(detail, ", ") {
				if err := exists(root, who); err != nil {
					r.Errorf("%s:%d: %v", page, b.line, err)
				}
			}
		case "run in the demo", "needs":
		default:
			r.Errorf("%s:%d: the block has no comment that says who runs it: see this package's doc comment", page, b.line)
		}
	case "yaml":
		objects := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(b.text)))
		for {
			text, err := objects.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var object struct {
				Kind string `json:"kind"`
			}
			if err == nil {
				err = yaml.Unmarshal(text, &object)
			}
			if err != nil {
				r.Errorf("%s:%d: invalid YAML: %v", page, b.line, err)
				return
			}
			if object.Kind == "CDPCredential" && what != "needs" {
				if err := r.bash(ctx, "kubectl apply -f -", text); err != nil {
					r.Errorf("%s:%d: %v", page, b.line, err)
				}
			}
		}
	case "", "console", "lua", "text", "mermaid", "promql", "json", "go":
	default:
		r.Errorf("%s:%d: unknown language %s of a block", page, b.line, b.language)
	}
}

// TestCommandsOfThePagesParse also covers blocks that cannot run here.
func TestCommandsOfThePagesParse(t *testing.T) {
	t.Parallel()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for page, blocks := range pages(t, root) {
		for _, b := range blocks {
			if b.language != "sh" {
				continue
			}
			if output, err := exec.CommandContext(t.Context(), "bash", "-n", "-c", b.text).CombinedOutput(); err != nil {
				t.Errorf("%s:%d: %v: %s", page, b.line, err, output)
			}
		}
	}
}

// bash runs commands as a reader's shell would, but stops at the first that fails.
func (r *reader) bash(ctx context.Context, commands string, input []byte) error {
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir = r.folder
	cmd.Env = append(r.shellEnvironment(), r.environment...)
	cmd.Stdin = bytes.NewReader(input)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}

// shellEnvironment puts kubectl into PATH, with the page's namespace as its default.
func (r *reader) shellEnvironment() []string {
	path := []string{r.cluster.Assets, os.Getenv("PATH")}
	if r.programs != "" {
		path = append([]string{r.programs}, path...)
	}
	return append(os.Environ(), "KUBECONFIG="+r.kubeconfig, "KUBECACHEDIR="+filepath.Join(r.folder, "cache"),
		"PATH="+strings.Join(path, string(os.PathListSeparator)))
}

var target = regexp.MustCompile(`^make ([a-z0-9-]+)$`)

// exists reports an error unless there is such a test, or such a make target that CI runs.
func exists(root, what string) error {
	if m := target.FindStringSubmatch(what); m != nil {
		ci, err := os.ReadFile(filepath.Join(root, ".ci/run"))
		if err != nil {
			return err
		}
		if !regexp.MustCompile(`(?m)\bmake ` + m[1] + `\b`).Match(ci) {
			return fmt.Errorf("CI does not run make %s", m[1])
		}
		return nil
	}
	output, err := exec.Command("grep", "-rqs", "--include=*_test.go", "^func "+what+"(", root).CombinedOutput()
	if err != nil {
		return fmt.Errorf("there is no test %s: %w %s", what, err, output)
	}
	return nil
}
