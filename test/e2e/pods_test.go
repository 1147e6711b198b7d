// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestRefreshedPodsSeeNewTokensWithinTwoSeconds: with spec.target.refreshPods, pods see a new token within two seconds of its write, and nothing else
// of them changes.
func TestRefreshedPodsSeeNewTokensWithinTwoSeconds(t *testing.T) {
	if podsInstaller == "" {
		t.Skip("E2E_PODS_INSTALLER is not set")
	}
	length, err := time.ParseDuration(podsLength)
	if err != nil {
		t.Fatal(err)
	}
	life, err := time.ParseDuration(lifetime)
	if err != nil {
		t.Fatal(err)
	}
	operator := installFile(t, podsInstaller)
	t.Cleanup(func() {
		if t.Failed() {
			operator.diagnose()
		}
	})
	fast := []string{"fast1", "fast2", "fast3", "fast4", "fast5"}
	s := newSite(t, append(slices.Clone(fast), "slow", "calls", "active")...)
	operator.open(s.values["HOST"] + "/32")
	written := s.watchTokens()

	for _, name := range fast {
		s.reading(name, "Auto", true)
	}
	s.reading("slow", "Auto", false)
	s.reading("calls", "Auto", true)
	s.reading("active", "OneActive", true)
	s.applyWith("subpath.yaml", map[string]string{"NAME": "fast1"})
	s.applyWith("calling.yaml", map[string]string{"NAME": "calls", "EVERY": "1s"})
	s.applyWith("calling.yaml", map[string]string{"NAME": "active", "EVERY": "100ms"})
	s.kubectl("wait", "--for=condition=Ready", "pods", "-l", "app in (read,call)", "--timeout=2m")
	before := s.podSpecs()

	// Each credential gets a token at most every ten seconds, so several are needed for fifty renewals in two minutes.
	begin := time.Now()
	for round := 1; time.Since(begin) < length; round++ {
		for _, name := range append(slices.Clone(fast), "slow", "active") {
			s.kubectl("annotate", "cdpcredential", name, "--overwrite", fmt.Sprintf("cdpcredentials.io/refresh-requested-at=%d", round))
		}
		time.Sleep(time.Until(begin.Add(time.Duration(round) * 11 * time.Second)))
	}
	time.Sleep(5 * time.Second) // the last one must reach its pods

	var told []time.Duration
	for _, name := range fast {
		told = append(told, s.lags(name, written())...)
	}
	t.Logf("with refreshPods: %s", figures(told))
	t.Logf("without: %s", figures(s.lags("slow", written())))
	if len(told) < 2*50 || percentile(told, 99) >= 2*time.Second {
		t.Errorf("want 50 renewals, each seen in two files, 99 %% of the sightings within two seconds")
	}
	if got := len(s.seen("subpath")); got != 1 {
		t.Errorf("a subPath mount showed %d tokens, want only the first one", got)
	}
	s.wait(30*time.Second, "status.pods", func() (string, bool) {
		got := s.kubectl("get", "cdpcredentials", "-o", `jsonpath={range .items[*]}{.metadata.name}={.status.pods.refreshed}/{.status.pods.mounting} {end}`)
		return got, got == "active=2/2 calls=2/2 fast1=2/2 fast2=1/1 fast3=1/1 fast4=1/1 fast5=1/1 slow=/"
	})
	calls, active := s.counts("call-calls"), s.counts("call-active")
	t.Logf("tokens of %s, read before each call for %s: %+v; one-active endpoint: %+v, so locked out for %d ms at most", lifetime, length, calls, active, active.locked)
	if length > life && calls.renewals == 0 || calls.unauthorized > 0 || calls.other > 0 {
		t.Error("want renewals, no 401s and no other failures")
	}
	if active.renewals < 5 || active.locked > 2000 {
		t.Error("want renewals at the one-active endpoint, each with at most two seconds of 401s")
	}
	if after := s.podSpecs(); after != before {
		t.Errorf("something else of the pods changed, from\n%s\nto\n%s", before, after)
	}
	operator.checkHealth(s.values["SECRET"])
}

// reading creates a credential and its reader.
func (s site) reading(name, issuance string, refresh bool) {
	s.Helper()
	values := map[string]string{"NAME": name, "ISSUANCE": issuance, "REFRESH": fmt.Sprint(refresh)}
	s.applyWith("client.yaml", values)
	s.applyWith("reading.yaml", values)
	s.waitToken(name)
}

func (s site) applyWith(file string, more map[string]string) {
	s.Helper()
	values := maps.Clone(s.values)
	maps.Copy(values, more)
	s.apply(file, values)
}

// watchTokens records from now on when a Secret gets another token, by the Secret's name.
func (s site) watchTokens() func() map[string][]sighting {
	s.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "kubectl", "--kubeconfig", kubeconfig, "--namespace", s.namespace, "get", "secrets", "--watch", "-o", `jsonpath={.metadata.name} {.data.token}{"\n"}`)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		s.Fatal(err)
	}
	var mu sync.Mutex
	written := map[string][]sighting{}
	var reads sync.WaitGroup
	reads.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			now := time.Now()
			name, encoded, _ := strings.Cut(lines.Text(), " ")
			token, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil || len(token) == 0 {
				continue
			}
			sum := sha256.Sum256(token)
			hash := hex.EncodeToString(sum[:8])
			mu.Lock()
			if position(written[name], hash) < 0 {
				written[name] = append(written[name], sighting{"", hash, now})
			}
			mu.Unlock()
		}
	})
	s.Cleanup(func() {
		cancel()
		reads.Wait()
		_ = cmd.Wait() // it was killed
	})
	return func() map[string][]sighting {
		mu.Lock()
		defer mu.Unlock()
		return maps.Clone(written)
	}
}

// A sighting is a token in a file of a pod, or in a Secret.
type sighting struct {
	file, hash string
	at         time.Time
}

// position returns the index of a token among others, -1 if it is not there.
func position(all []sighting, hash string) int {
	return slices.IndexFunc(all, func(s sighting) bool { return s.hash == hash })
}

// seen returns what a reader has reported. A file may be missing while a kubelet replaces it; that is left out.
func (s site) seen(pod string) []sighting {
	s.Helper()
	var all []sighting
	for line := range strings.Lines(s.kubectl("logs", pod, "--tail=-1")) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			s.Fatalf("cannot parse %q of %s", line, pod)
		}
		at, err := time.Parse(time.RFC3339Nano, fields[2])
		if err != nil {
			s.Fatal(err)
		}
		if fields[1] != "nothing" {
			all = append(all, sighting{fields[0], fields[1], at})
		}
	}
	return all
}

// lags returns how long after each write of a credential's Secret its reader saw that token or a later one, in each of its files.
func (s site) lags(name string, written map[string][]sighting) []time.Duration {
	s.Helper()
	writes := written[name+"-token"]
	all := s.seen("read-" + name)
	var lags []time.Duration
	for _, file := range []string{"folder", "projected"} {
		next := 0 // next is the index of the write
		for _, seen := range all {
			shown := position(writes, seen.hash)
			if seen.file != file || shown < 0 {
				continue
			}
			for begins := next == 0; next <= shown; next++ {
				if begins { // it is older than the pod
					continue
				}
				lag := seen.at.Sub(writes[next].at)
				if lags = append(lags, lag); lag > 2*time.Second && name != "slow" {
					s.Logf("%s of %s, written at %s, was seen after %s", file, name, writes[next].at.UTC().Format(time.TimeOnly), lag)
				}
			}
		}
	}
	return lags
}

// podSpecs returns everything of readers and callers that must not change.
func (s site) podSpecs() string {
	s.Helper()
	return s.kubectl("get", "pods", "-l", "app in (read,call)", "-o",
		`jsonpath={range .items[*]}{.metadata.name} {.metadata.uid} {.metadata.generation} {.metadata.labels} {.spec} {.status.containerStatuses[*].restartCount}{"\n"}{end}`)
}

func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return all[min(len(all)*p/100, len(all)-1)]
}

func figures(all []time.Duration) string {
	return fmt.Sprintf("%d sightings, median %s, p99 %s, maximum %s after the write", len(all),
		percentile(all, 50).Round(time.Millisecond), percentile(all, 99).Round(time.Millisecond), percentile(all, 100).Round(time.Millisecond))
}

// Variables that run.sh sets for this test.
var (
	podsInstaller = os.Getenv("E2E_PODS_INSTALLER") // install.yaml with config/pod-refresh in it
	podsLength    = os.Getenv("E2E_PODS_LENGTH")    // of the measurement
)
