// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdpcredentials/cdp-credential-operator/test/framework"
)

// TestNGINXExampleAddsTheNewestToken calls the sidecar as a program would, without any header, while the token is renewed. Only the addresses and
// folders in the configuration are replaced.
func TestNGINXExampleAddsTheNewestToken(t *testing.T) {
	t.Parallel()
	programs, err := framework.Output(framework.Command(t.Context(), ".", "bash", "nginx.sh"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("no nginx: %v", err)
	}
	a := newAPI(t, func(token string) map[string]string {
		var lines strings.Builder
		for name, value := range headersOf(token) {
			fmt.Fprintf(&lines, "proxy_set_header %s %q;\n", name, value)
		}
		return map[string]string{"headers.conf": lines.String()}
	})
	address, stop := startNGINX(t, a, programs)
	defer stop()
	for n := range int64(4) {
		if n > 0 {
			a.renew()
		}
		eventually(t, fmt.Sprintf("token %d reaches the API", n), func() (string, bool) {
			status := get(t, address)
			return status, status == "200" && a.accepted.Load() == n
		})
	}
	if got := a.unauthorized.Load(); got != 0 {
		t.Errorf("%d calls with a token that the API does not accept", got)
	}
}

// startNGINX starts reload.sh and returns the address at which NGINX will listen.
func startNGINX(t *testing.T, a *api, programs string) (address string, stop func()) {
	t.Helper()
	temp := t.TempDir()
	trust(t, a, temp)
	free, err := framework.FreeAddresses(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(folder, "nginx/nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	config := string(content)
	for _, change := range [][2]string{
		{" /tmp/", " " + temp + "/"}, // first, because the paths inserted below are in /tmp, too
		{"proxy_pass https://api.example.com;", "proxy_pass " + a.URL + ";"},
		{"127.0.0.1:8080", free[0]},
		{"/var/run/cdp", a.headers},
		{"/etc/ssl/certs/ca-certificates.crt", filepath.Join(temp, "ca.pem")},
	} {
		if !strings.Contains(config, change[0]) {
			t.Fatalf("nginx.conf has no %q", change[0])
		}
		config = strings.ReplaceAll(config, change[0], change[1])
	}
	file := filepath.Join(temp, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	program := framework.Command(ctx, filepath.Join(folder, "nginx"), "./reload.sh")
	program.Stdout, program.Stderr = &log, &log
	program.Env = append(os.Environ(), "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"),
		"NGINX_CONF="+file, "HEADERS_FILE="+filepath.Join(a.headers, "headers.conf"))
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		cancel()
		_ = program.Wait() // the error is that it was killed
		if t.Failed() {
			t.Log(log.String())
		}
	}
	return free[0], stop
}

// get returns the status code of a call, or the error.
func get(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return err.Error()
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error() // not listening yet
	}
	defer func() { _ = answer.Body.Close() }()
	return fmt.Sprint(answer.StatusCode)
}

func eventually(t *testing.T, what string, check func() (string, bool)) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		last, ok := check()
		if ok {
			return
		}
		select {
		case <-deadline:
			t.Errorf("not within 30 s: %s; the last response: %s", what, last)
			return
		case <-ticker.C:
		}
	}
}
