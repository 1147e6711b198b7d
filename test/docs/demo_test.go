// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// TestDemo runs the commands of the pages in a second terminal, while the demo runs in the first.
func TestDemo(t *testing.T) {
	t.Parallel()
	root, err := framework.ModuleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	terminal := startDemo(t, root)
	all := pages(t, root)
	for _, page := range demoPages(all) {
		t.Run(page, func(t *testing.T) { terminal.run(t, demoCommands(all[page])) })
	}
	t.Run("first credential of the README becomes Ready", func(t *testing.T) {
		client, credential := firstCredential(t, root)
		terminal.run(t, client+"\nkubectl apply -f - <<'EOF'\n"+credential+"\nEOF\nkubectl wait cdpcred etl --for=condition=Ready --timeout=60s")
	})
	t.Run("clients that break their connections do not end it", func(t *testing.T) {
		address := strings.TrimSpace(terminal.run(t, "kubectl get configmap stand-ins -o jsonpath='{.data.oauth2-host}'"))
		for range 1000 {
			breakConnection(t, address)
		}
		terminal.run(t, "kubectl delete secret oauth2-token && kubectl wait secret oauth2-token --for=create --timeout=60s")
	})
	runbooks(t, terminal, pages(t, root)["docs/runbooks.md"])
}

// demoPages returns the pages with commands for the demo, the quick start first.
func demoPages(all map[string][]block) []string {
	names := []string{"docs/quickstart.md"}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if name != names[0] && demoCommands(all[name]) != "" {
			names = append(names, name)
		}
	}
	return names
}

// demoCommands returns a page's commands for the demo.
func demoCommands(blocks []block) string {
	var commands []string
	for _, b := range blocks {
		if b.marker == "run in the demo" {
			commands = append(commands, b.text)
		}
	}
	return strings.Join(commands, "\n")
}

// firstCredential returns the commands that create the client Secret, and the CDPCredential, of README's first credential.
func firstCredential(t *testing.T, root string) (client, credential string) {
	t.Helper()
	for _, b := range pages(t, root)["README.md"] {
		switch {
		case b.language == "sh" && strings.HasPrefix(b.text, "kubectl create secret generic etl-client") && client == "":
			client = b.text
		case b.language == "yaml" && strings.Contains(b.text, "kind: CDPCredential") && credential == "":
			credential = b.text
		}
	}
	if client == "" || credential == "" {
		t.Fatal("the README has no first credential with a client Secret etl-client")
	}
	return client, credential
}

// breakConnection requests a token from a stand-in and resets the connection before the response.
func breakConnection(t *testing.T, address string) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	client := tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // no secret is sent
	if _, err := client.Write([]byte("POST /oauth2/token HTTP/1.1\r\nHost: demo\r\nContent-Length: 0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
}

// A terminal is a shell with the variables that the demo tells users to export.
type terminal struct {
	export, metrics, folder string
	environment             []string
}

// run runs commands, stops the test at the first that fails, and returns their output.
func (s *terminal) run(t *testing.T, commands string) string {
	t.Helper()
	return s.typing(t, "", commands)
}

// typing is run with input that a command prompts for.
func (s *terminal) typing(t *testing.T, input, commands string) string {
	t.Helper()
	shell := framework.Command(t.Context(), s.folder, "bash", "-euo", "pipefail", "-x", "-c", s.export+"\n"+commands)
	var trace strings.Builder
	shell.Stderr, shell.Env, shell.Stdin = &trace, s.environment, strings.NewReader(input+"\n")
	output, err := shell.Output()
	if err != nil {
		t.Fatalf("%v: %s%s", err, trace.String(), output)
	}
	return string(output)
}

// startDemo starts the demo, which is stopped with the test, and returns a second terminal.
func startDemo(t *testing.T, root string) *terminal {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "demo")
	if err := framework.Command(t.Context(), root, "go", "build", "-o", binary, "./hack/demo").Run(); err != nil {
		t.Fatal(err)
	}
	demo := framework.Command(context.WithoutCancel(t.Context()), root, binary, "-stay") // it is stopped by a signal, and must end gracefully
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
			t.Errorf("the demo ended with %v", err)
		}
	})
	export, metrics, err := invitation(lines)
	go func() {
		_, err := io.Copy(io.Discard, lines)
		rest <- err
	}()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	return &terminal{export: export, metrics: metrics, folder: folder, environment: append(os.Environ(), "KUBECACHEDIR="+folder)}
}

// invitation reads the export command and the URL of the metrics from the demo's output.
func invitation(lines *bufio.Reader) (export, metrics string, err error) {
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return "", "", fmt.Errorf("the demo ended before it printed the commands for a second terminal: %w", err)
		}
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "export KUBECONFIG=") {
			export = line
		}
		if words := strings.Fields(line); len(words) > 2 && words[0] == "curl" {
			return export, words[2], nil
		}
	}
}
