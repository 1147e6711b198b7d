// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// TestQuickStart types what the quick start says into a second terminal, while the demo runs in the first.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	export := startDemo(t, root)
	var commands []string
	for _, b := range pages(t, root)["docs/quickstart.md"] {
		if b.marker == "run in the demo" {
			commands = append(commands, b.text)
		}
	}
	if len(commands) == 0 {
		t.Fatal("the quick start has no commands for the demo")
	}
	terminal := framework.Command(t.Context(), t.TempDir(), "bash", "-euo", "pipefail", "-x", "-c", export+"\n"+strings.Join(commands, "\n"))
	terminal.Stderr = nil
	terminal.Env = append(os.Environ(), "KUBECACHEDIR="+t.TempDir())
	if output, err := terminal.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
}

// startDemo starts the demo, which ends with the test, and returns what it says that a second terminal is to type.
func startDemo(t *testing.T, root string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "demo")
	if err := framework.Command(t.Context(), root, "go", "build", "-o", binary, "./hack/demo").Run(); err != nil {
		t.Fatal(err)
	}
	demo := framework.Command(context.WithoutCancel(t.Context()), root, binary, "-stay") // it is told to end, and then has to end well
	said, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	demo.Stderr = os.Stderr
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(said)
	rest := make(chan error, 1)
	t.Cleanup(func() {
		if err := demo.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := <-rest; err != nil {
			t.Error(err)
		}
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo ends with %v", err)
		}
	})
	export, err := invitation(lines)
	go func() {
		_, err := io.Copy(io.Discard, lines)
		rest <- err
	}()
	if err != nil {
		t.Fatal(err)
	}
	return export
}

func invitation(lines *bufio.Reader) (string, error) {
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return "", fmt.Errorf("the demo ends before it says how to join it: %w", err)
		}
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "export KUBECONFIG=") {
			return line, nil
		}
	}
}
