// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"bufio"
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

const folder = "../../examples"

// examples are the programs, each with the commands that prepare it and the programs that it needs.
var examples = map[string]struct {
	prepare, run []string
	needs        string
}{
	"python": {nil, []string{"python3", "client.py"}, "python3"},
	"node":   {nil, []string{"node", "client.mjs"}, "node"},
	"go":     {[]string{"go", "build", "-o", "%s/client", "."}, []string{"%s/client"}, "go"},
	"curl":   {nil, []string{"./client.sh"}, "curl"},
	"java":   {[]string{"javac", "-d", "%s", "Client.java"}, []string{"java", "-Djavax.net.ssl.trustStore=%s/trust", "-Djavax.net.ssl.trustStorePassword=changeit", "-cp", "%s", "Client"}, "javac"},
}

// TestExamplesSeeNoUnauthorizedThroughRenewals runs each example while the token is renewed, as a kubelet shows it: the API accepts the previous
// token until the new one is in the folder. Then the API drops the current token shortly before the folder has the new one: the program's single
// retry bridges that.
func TestExamplesSeeNoUnauthorizedThroughRenewals(t *testing.T) {
	t.Parallel()
	for name, example := range examples {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(example.needs); err != nil {
				t.Skip(err) // Java is rarely installed; the others are needed by other tests, too
			}
			api := newAPI(t, headersOf)
			temp := t.TempDir()
			trust(t, api, temp)
			if example.prepare != nil {
				prepare := framework.Command(t.Context(), filepath.Join(folder, name), example.prepare[0], in(temp, example.prepare[1:])...)
				if err := prepare.Run(); err != nil {
					t.Fatal(err)
				}
			}
			statuses := start(t, name, in(temp, example.run), api, temp)
			for range 5 { // renewals
				api.renew()
				for range 3 {
					if status := <-statuses; status != "200" {
						t.Fatalf("the program got %q", status)
					}
				}
			}
			if got := api.unauthorized.Load(); got != 0 {
				t.Errorf("%d calls with a token that the API does not accept", got)
			}
			api.replace()
			for api.unauthorized.Load() == 0 {
				if status := <-statuses; status != "200" {
					t.Fatalf("the program got %q", status)
				}
			}
			if status := <-statuses; status != "200" {
				t.Errorf("after a 401 the program got %q", status)
			}
		})
	}
}

// TestExamplesAreShort: each file fits on a screen.
func TestExamplesAreShort(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(folder + "/*/*")
	if err != nil || len(files) < len(examples) {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(content), "\n"); lines >= 40 {
			t.Errorf("%s has %d lines, want less than 40", file, lines)
		}
	}
}

func in(temp string, args []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = strings.ReplaceAll(arg, "%s", temp)
	}
	return out
}

// api accepts two tokens: the one in the folder and the previous one.
type api struct {
	*testing.T
	*httptest.Server
	headers      string // the folder
	files        func(token string) map[string]string
	generation   atomic.Int64
	oldest       atomic.Int64 // the oldest token that is accepted
	accepted     atomic.Int64 // the newest token that a call used
	unauthorized atomic.Int64
}

func newAPI(t *testing.T, files func(token string) map[string]string) *api {
	t.Helper()
	a := &api{T: t, headers: t.TempDir(), files: files}
	a.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.accepts(r.Header) {
			a.unauthorized.Add(1)
			a.show(a.generation.Load()) // the kubelet is one call late
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(a.Close)
	a.show(0)
	return a
}

// headersOf returns the headers that Adobe's and Algonomy's APIs require, with a token.
func headersOf(token string) map[string]string {
	return map[string]string{
		"Authorization": "Bearer " + token, "x-api-key": "key", "x-gw-ims-org-id": "ABC@AdobeOrg", "x-sandbox-name": "prod",
		"access_token": token, "tenant_hash": "hash",
	}
}

// accepts reports whether all headers are valid. Two of them have a token, which may differ if it was renewed between the reads of their files.
func (a *api) accepts(got http.Header) bool {
	for name, want := range headersOf("token-%d") {
		if !strings.Contains(want, "%d") {
			if got.Get(name) != want {
				return false
			}
			continue
		}
		var n int64
		if _, err := fmt.Sscanf(got.Get(name), want, &n); err != nil || n < a.oldest.Load() {
			return false
		}
		a.accepted.Store(max(a.accepted.Load(), n))
	}
	return true
}

// renew shows a new token; the previous one is still accepted.
func (a *api) renew() {
	n := a.generation.Add(1)
	a.show(n)
	a.oldest.Store(n - 1)
}

// replace makes a new token that revokes the previous ones and is not in the folder yet.
func (a *api) replace() { a.oldest.Store(a.generation.Add(1)) }

// show writes a token into the folder as a kubelet does: a new folder, and one link that is moved to it.
func (a *api) show(n int64) {
	version := filepath.Join(a.headers, fmt.Sprintf("..version-%d", n))
	if err := os.MkdirAll(version, 0o755); err != nil {
		a.Error(err)
	}
	for name, value := range a.files(fmt.Sprintf("token-%d", n)) {
		if err := os.WriteFile(filepath.Join(version, name), []byte(value), 0o600); err != nil {
			a.Error(err)
		}
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(a.headers, name)); err != nil && !os.IsExist(err) {
			a.Error(err)
		}
	}
	next := filepath.Join(a.headers, "..data_tmp")
	if err := os.Symlink(filepath.Base(version), next); err != nil && !os.IsExist(err) {
		a.Error(err)
	}
	if err := os.Rename(next, filepath.Join(a.headers, "..data")); err != nil {
		a.Error(err)
	}
}

// trust writes the API's certificate for the programs.
func trust(t *testing.T, a *api, temp string) {
	t.Helper()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(temp, "ca.pem"), certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("keytool"); err == nil {
		cmd := exec.CommandContext(t.Context(), "keytool", "-importcert", "-noprompt", "-alias", "api", "-file", filepath.Join(temp, "ca.pem"),
			"-keystore", filepath.Join(temp, "trust"), "-storepass", "changeit")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

// start runs a program until the test ends, and returns the lines that it prints.
func start(t *testing.T, name string, run []string, a *api, temp string) <-chan string {
	t.Helper()
	ca := filepath.Join(temp, "ca.pem")
	ctx, cancel := context.WithCancel(t.Context())
	program := framework.Command(ctx, filepath.Join(folder, name), run[0], run[1:]...)
	program.Env = append(os.Environ(), "API_URL="+a.URL+"/", "HEADERS_DIR="+a.headers, "INTERVAL=0.05",
		"SSL_CERT_FILE="+ca, "NODE_EXTRA_CA_CERTS="+ca, "CURL_CA_BUNDLE="+ca)
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			select {
			case lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = program.Wait() // it is killed
	})
	return lines
}
