// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestDockerfile: make e2e tests the image that the Dockerfile builds, with the Go version that go.mod pins.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	dockerfile := read(t, "../../../Dockerfile")
	got, err := lastStage(dockerfile)
	if err != nil {
		t.Fatal(err)
	}
	if want := (stage{user: "65532:65532", entrypoint: "/manager"}); got != want {
		t.Errorf("the last stage is %+v, want %+v", got, want)
	}
	_, toolchain, _ := strings.Cut(read(t, "../../../go.mod"), "\ntoolchain go")
	if version, _, _ := strings.Cut(toolchain, "\n"); version == "" || !strings.Contains(dockerfile, " golang:"+version+" AS build\n") {
		t.Errorf("the Dockerfile does not build with the toolchain of go.mod, %q", version)
	}
	// A default would override BuildKit's value, and an arm64 image would contain an amd64 binary.
	for _, argument := range []string{"TARGETOS", "TARGETARCH"} {
		if !strings.Contains(dockerfile, "\nARG "+argument+"\n") || !strings.Contains(dockerfile, "$"+argument+" ") {
			t.Errorf("the Dockerfile does not leave %s to BuildKit", argument)
		}
	}
	const flags = `go build -trimpath -buildvcs=false -ldflags "-s -w -buildid= -X main.version=`
	for name, content := range map[string]string{"Dockerfile": dockerfile, "Makefile": read(t, "../../../Makefile")} {
		if !strings.Contains(content, "CGO_ENABLED=0 ") || strings.Count(content, flags) != 1 {
			t.Errorf("%s does not build with CGO_ENABLED=0 %s…", name, flags)
		}
	}
}

func TestLastStageRefuses(t *testing.T) {
	t.Parallel()
	const good = "FROM scratch\nCOPY --from=build /m /m\nUSER 1:1\nENTRYPOINT [\"/m\"]\n"
	if _, err := lastStage("FROM a\nUSER 2:2\n" + good); err != nil {
		t.Errorf("a good file: %v", err)
	}
	for name, dockerfile := range map[string]string{
		"no user":                 strings.Replace(good, "USER 1:1\n", "", 1),
		"another stage's user":    "FROM a\nUSER 2:2\n" + strings.Replace(good, "USER 1:1\n", "", 1),
		"an instruction we lack":  good + "ENV A=b\n",
		"arguments":               strings.Replace(good, `["/m"]`, `["/m", "-v"]`, 1),
		"a shell's entry point":   strings.Replace(good, `["/m"]`, `/m`, 1),
		"a binary that is absent": strings.Replace(good, "/m /m", "/n /n", 1),
	} {
		if got, err := lastStage(dockerfile); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	i := image{Tag: "a:b", User: "1:1", Path: "/m", Binary: []byte("binary"), Architecture: "amd64"}
	first, err := i.archive()
	if err != nil {
		t.Fatal(err)
	}
	second, err := i.archive()
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the same image twice: it differs (%v)", err)
	}
	outer := unpack(t, first)
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal([]byte(outer["manifest.json"]), &manifest); err != nil || len(manifest) != 1 {
		t.Fatalf("manifest.json is %s (%v)", outer["manifest.json"], err)
	}
	var config struct {
		Config map[string]any `json:"config"`
	}
	if err := json.Unmarshal([]byte(outer[manifest[0].Config]), &config); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"User": "1:1", "Entrypoint": []any{"/m"}, "WorkingDir": "/"}
	if diff := cmp.Diff(want, config.Config); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a:b"}, manifest[0].RepoTags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if got := unpack(t, []byte(outer[manifest[0].Layers[0]]))["m"]; got != "binary" {
		t.Errorf("the binary is %q", got)
	}
}

func unpack(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	files := map[string]string{}
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = string(content)
	}
}
