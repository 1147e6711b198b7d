// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A program is a program of examples/, and the node's interpreter that runs it. There is no registry for its usual image.
type program struct {
	name        string
	interpreter string // below /usr/bin or /usr/local/bin of the node; empty if it is in the image
	file        string // below examples/
}

var programs = []program{
	{"python", "python3", "python/client.py"},
	{"node", "node", "node/client.mjs"},
	{"curl", "curl", "curl/client.sh"},
	{"go", "", ""},
}

// examples is a site in which these programs call an API that nobody else calls. Mounting the node's folders requires more than restricted Pod
// Security allows.
type examples struct {
	site
	missing map[string]string // programs that cannot run, and why
}

func newExamples(t *testing.T) examples {
	t.Helper()
	return examples{openSite(newNamespace(t, "e2e-examples", "privileged"), lifetime, "examples"), map[string]string{}}
}

// start starts the programs, which run during the other chapters.
func (e examples) start() {
	e.Helper()
	credential := map[string]string{"NAME": "examples"}
	e.applyWith("client.yaml", credential)
	e.applyWith("examples.yaml", credential)
	e.waitToken("examples")
	files := []string{"create", "configmap", "programs"}
	for _, p := range programs {
		if p.file != "" {
			files = append(files, "--from-file="+filepath.Join(examplesFolder, p.file))
		}
	}
	e.kubectl(files...)
	for _, p := range programs {
		command, err := p.command()
		if err != nil {
			e.missing[p.name] = err.Error()
			continue
		}
		mounts, volumes := p.mounts()
		e.applyWith("example.yaml", map[string]string{
			"NAME": "examples", "PROGRAM": p.name, "IMAGE": exampleImage, "COMMAND": command, "MOUNTS": mounts, "VOLUMES": volumes,
		})
	}
}

// command returns what the pod runs, or an error if the node does not have it.
func (p program) command() (string, error) {
	if p.interpreter == "" {
		return "/main", nil
	}
	if !nodeIsHere {
		return "", fmt.Errorf("%s is taken from the machine that the cluster runs on, which only a cluster made by make e2e allows", p.interpreter)
	}
	for _, folder := range []string{"/usr/bin", "/usr/local/bin"} {
		path := filepath.Join(folder, p.interpreter)
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if strings.HasSuffix(p.file, ".sh") {
			path = "/bin/sh"
		}
		return path + ", /programs/" + filepath.Base(p.file), nil
	}
	return "", fmt.Errorf("%s is not in /usr/bin or /usr/local/bin: install it", p.interpreter)
}

// mounts returns the node's folders with programs and libraries, as items of volumeMounts and volumes.
func (p program) mounts() (mounts, volumes string) {
	if p.interpreter == "" {
		return "", ""
	}
	for _, folder := range []string{"/usr", "/bin", "/lib", "/lib64"} {
		if _, err := os.Stat(folder); err != nil {
			continue // /lib64 does not exist everywhere, and would be created
		}
		name := strings.TrimPrefix(folder, "/")
		mounts += fmt.Sprintf("{name: %s, mountPath: %s, readOnly: true},", name, folder)
		volumes += fmt.Sprintf("{name: %s, hostPath: {path: %s}},", name, folder)
	}
	return mounts, volumes
}

// check: through renewals, until long after the first token expired, no call got a 401, not even one that a retry hid.
func (e examples) check(s site, operator desk, life time.Duration) {
	e.site = e.with(s.T)
	e.wait(2*life, "the first token has expired", func() (string, bool) {
		issued := e.issued("examples")
		return fmt.Sprintf("%d tokens were issued", issued), issued >= 3
	})
	for _, p := range programs {
		e.Run(p.name, func(t *testing.T) {
			if why := e.missing[p.name]; why != "" {
				if os.Getenv("CI") == "true" {
					t.Fatal(why)
				}
				t.Skip(why)
			}
			e.with(t).checkProgram(p.name)
		})
	}
	var stats struct {
		API map[int]int `json:"api"`
	}
	if err := json.Unmarshal([]byte(e.ask("/stats")), &stats); err != nil {
		e.Fatal(err)
	}
	e.Logf("tokens issued %d; answers of the API by status: %v", e.issued("examples"), stats.API)
	if len(stats.API) != 1 || stats.API[http.StatusOK] == 0 {
		e.Error("want only responses with status 200")
	}
	operator.checkLog(e.values["SECRET"])
}

// checkProgram checks a program's output: the status of each call.
func (s site) checkProgram(pod string) {
	s.Helper()
	lines := strings.Fields(s.kubectl("logs", pod, "--tail=-1"))
	other := 0
	for _, line := range lines {
		if line != "200" {
			other++
		}
	}
	s.Logf("%d calls, %d without a 200", len(lines), other)
	if len(lines) < 60 || other > 0 {
		s.Errorf("want at least a minute of calls, all of them with status 200")
	}
	if got := s.kubectl("get", "pod", pod, "-o", "jsonpath={.status.phase} {.status.containerStatuses[*].restartCount}"); got != "Running 0" {
		s.Errorf("the pod is %q, want %q", got, "Running 0")
	}
}
