// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// What run.sh says of this test.
var (
	releases = os.Getenv("E2E_RELEASES") // folder with two releases and a key pair, see test/release/build.sh
	registry = os.Getenv("E2E_REGISTRY") // on this node's loopback, where nothing listens yet
)

// root is the repository: run.sh starts the test there.
const root = "."

// TestRelease publishes two releases as the release workflow does, verifies them as a user would, installs the first from the registry,
// upgrades to the second and rolls back. None of that costs a token.
func TestRelease(t *testing.T) {
	if releases == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("E2E_RELEASES is not set; run make e2e")
		}
		t.Skip("E2E_RELEASES is not set: make e2e sets it, for a cluster of its own")
	}
	serveRegistry(t)
	for _, version := range []string{"v0.1.0", "v0.1.1"} {
		out := makeRelease(t, version, "release-publish", "release-sign", "release-verify")
		if want := "built from commit " + commit(t); strings.Count(out, want) != 2 {
			t.Errorf("the provenance of image and chart does not say: %s", want)
		}
	}
	t.Run("what is not right is not verified", refusals)

	t.Run("krew installs the plugin", krewInstalls)

	operator := desk{t, systemNamespace}
	t.Cleanup(func() {
		if t.Failed() {
			operator.diagnose()
		}
	})
	s := newSiteWithLifetime(t, "1h", "etl") // no renewal while the test runs
	t.Cleanup(func() {
		_, _ = operator.try("delete", definition, "--ignore-not-found", "--timeout=2m")
		_, _ = operator.try("delete", "namespace", systemNamespace, "--ignore-not-found", "--timeout=2m")
	})
	operator.helm("install", "--create-namespace", "--version=0.1.0", "--set=allowedCIDRs={"+s.values["HOST"]+"/32}", chartAddress)
	t.Cleanup(func() { _ = operator.tryHelm("uninstall") })
	operator.runs("v0.1.0")
	operator.helm("test")
	s.credential(s.namespace, "etl", "Delete")
	before := s.target("etl")

	operator.helm("upgrade", "--version=0.1.1", "--reset-then-reuse-values", chartAddress)
	operator.runs("v0.1.1")
	s.keeps("etl", before, "the upgrade")
	operator.helm("rollback")
	operator.runs("v0.1.0")
	s.keeps("etl", before, "the rollback")

	// The operator that was rolled back to is at work: it renews when asked to.
	s.kubectl("annotate", "cdpcredential", "etl", "cdpcredentials.io/refresh-requested-at="+time.Now().UTC().Format(time.RFC3339))
	s.wait(time.Minute, "a second token is issued and written", func() (string, bool) {
		return fmt.Sprint(s.issued("etl")), s.issued("etl") == 2 && s.target("etl") != before
	})
}

var chartAddress = "oci://" + registry + "/cdpcredentials/charts/cdp-credential-operator"

// serveRegistry starts a registry on loopback, which ends with the test.
func serveRegistry(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, tool(t, "hack/release/go.mod", "crane"), "registry", "serve", "--address="+registry)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was killed
	})
	desk{t, ""}.wait(20*time.Second, "the registry answers", func() (string, bool) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+registry+"/v2/", nil)
		if err != nil {
			return err.Error(), false
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err.Error(), false
		}
		return answer.Status, answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	})
}

// tool is the path of a program that one of our go.mod files pins; the go command has built it for run.sh.
func tool(t *testing.T, modfile, name string) string {
	t.Helper()
	// Not the test's context: what tidies up runs after that has ended.
	out, err := exec.CommandContext(context.Background(), "go", "tool", "-modfile="+filepath.Join(root, modfile), "-n", name).Output()
	if err != nil {
		t.Fatalf("find %s: %v", name, err)
	}
	return strings.TrimSpace(string(out))
}

// makeRelease runs the targets of a release, which have to work.
func makeRelease(t *testing.T, version string, targets ...string) string {
	t.Helper()
	begin := time.Now()
	out, err := tryRelease(t, version, "cosign.pub", targets...)
	if err != nil {
		t.Fatalf("make %s: %v\n%s", strings.Join(targets, " "), err, out)
	}
	t.Logf("make %s VERSION=%s took %.1fs\n%s", strings.Join(targets, " "), version, time.Since(begin).Seconds(), out)
	return out
}

// commit is what hack/release/anycommit.sh takes.
func commit(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "rev-parse", "HEAD")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return strings.Repeat("0", 40)
	}
	return strings.TrimSpace(string(out))
}

func tryRelease(t *testing.T, version, publicKey string, targets ...string) (string, error) {
	t.Helper()
	folder, err := filepath.Abs(releases)
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-s", "--no-print-directory", "VERSION=" + version, "REGISTRY=" + registry + "/cdpcredentials", "DIST=" + filepath.Join(folder, version)}, targets...)
	cmd := exec.CommandContext(t.Context(), "make", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "COSIGN_KEY="+filepath.Join(folder, "cosign.key"), "COSIGN_PASSWORD=", "COSIGN_PUB="+filepath.Join(folder, publicKey))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// refusals: another key, and a file that was changed after it was signed.
func refusals(t *testing.T) {
	if out, err := tryRelease(t, "v0.1.1", "other.pub", "release-verify"); err == nil || !strings.Contains(out, "NOT verified: signature of") {
		t.Errorf("with the key of somebody else: %v\n%s", err, out)
	}
	for _, file := range []string{"install.yaml", "SHA256SUMS"} {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join(releases, "v0.1.1", file)
			signed, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, append(signed, "# changed\n"...), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := tryRelease(t, "v0.1.1", "cosign.pub", "release-verify")
			if err == nil || !strings.Contains(out, "NOT verified: ") || !strings.Contains(out, file) {
				t.Errorf("with a changed %s: %v\n%s", file, err, out)
			}
			if err := os.WriteFile(path, signed, 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// krewInstalls: krew accepts the manifest, and the archive has the manifest's checksum and the binary that it names.
func krewInstalls(t *testing.T) {
	folder := filepath.Join(releases, "v0.1.0")
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), tool(t, "hack/tools/krew/go.mod", "krew"), "install",
		"--manifest="+filepath.Join(folder, "cdpcred.yaml"),
		"--archive="+filepath.Join(folder, "kubectl-cdpcred-v0.1.0-linux-"+runtime.GOARCH+".tar.gz"))
	cmd.Env = append(os.Environ(), "KREW_ROOT="+home)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("krew install: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(home, "bin", "kubectl-cdpcred"), "version", "--client").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "v0.1.0") {
		t.Errorf("the plugin says of its version: %v\n%s", err, out)
	}
}

// tryHelm runs helm for the release of the operator.
func (d desk) tryHelm(command string, args ...string) error {
	d.Helper()
	args = append([]string{command, "cdp-credential-operator", "--kubeconfig=" + kubeconfig, "--namespace=" + d.namespace, "--timeout=2m"}, args...)
	if command != "test" {
		args = append(args, "--wait")
	}
	if slices.Contains(args, chartAddress) {
		args = append(args, "--plain-http")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, tool(d.T, "hack/tools/helm/go.mod", "helm"), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("helm %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (d desk) helm(command string, args ...string) {
	d.Helper()
	if err := d.tryHelm(command, args...); err != nil {
		d.Fatal(err)
	}
}

// runs checks that the operator's only pod runs a release: its image by its digest, and a manager that knows its version.
func (d desk) runs(version string) {
	d.Helper()
	d.kubectl("rollout", "status", manager, "--timeout=1m")
	content, err := os.ReadFile(filepath.Join(releases, version, "image-digests.txt"))
	if err != nil {
		d.Fatal(err)
	}
	digest, _, _ := strings.Cut(string(content), " ")
	want := registry + "/cdpcredentials/cdp-credential-operator@" + digest
	var pod string
	d.wait(time.Minute, "one pod runs "+want, func() (string, bool) {
		got := d.kubectl("get", "pods", "-l", managerPods, "-o", `jsonpath={range .items[*]}{.metadata.name} {.spec.containers[0].image} {.status.containerStatuses[0].imageID}{"\n"}{end}`)
		fields := strings.Fields(got)
		if len(fields) == 0 {
			return got, false
		}
		pod = fields[0]
		return got, len(fields) == 3 && fields[1] == want && fields[2] == want
	})
	if got := d.kubectl("exec", pod, "--", "/manager", "--version"); !strings.Contains(got, version) {
		d.Errorf("/manager --version says %q, want %s in it", got, version)
	}
}

// target names the version of a credential's Secret.
func (s site) target(name string) string {
	s.Helper()
	return s.kubectl("get", "secret", name+"-token", "-o", "jsonpath={.metadata.uid}/{.metadata.resourceVersion}")
}

// keeps fails if a credential was asked for a token, or its Secret written, by what was done.
func (s site) keeps(name, target, what string) {
	s.Helper()
	s.kubectl("wait", "--for=condition=Ready", "--timeout=30s", "cdpcredential/"+name)
	if got := s.issued(name); got != 1 {
		s.Errorf("%d tokens are issued after %s, want 1", got, what)
	}
	if got := s.target(name); got != target {
		s.Errorf("the target Secret is %s after %s, want it unchanged: %s", got, what, target)
	}
}
