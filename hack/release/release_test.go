// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/x509"
	"debug/elf"
	"encoding/binary"
	"encoding/pem"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// elfFile writes an ELF header, which is enough to identify a binary's machine.
func elfFile(t *testing.T, machine elf.Machine, interpreter bool) string {
	t.Helper()
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64, Phentsize: 56,
	}
	var content bytes.Buffer
	if interpreter {
		header.Phoff, header.Phnum = 64, 1
	}
	err := binary.Write(&content, binary.LittleEndian, header)
	if err == nil && interpreter {
		err = binary.Write(&content, binary.LittleEndian, elf.Prog64{Type: uint32(elf.PT_INTERP)})
	}
	path := filepath.Join(t.TempDir(), "manager")
	if err == nil {
		err = os.WriteFile(path, content.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBinaryForAnotherMachineIsRefused(t *testing.T) {
	amd64, arm64 := elfFile(t, elf.EM_X86_64, false), elfFile(t, elf.EM_AARCH64, false)
	for _, tc := range []struct{ name, path, platform, want string }{
		{"amd64", amd64, "linux/amd64", ""},
		{"arm64", arm64, "linux/arm64", ""},
		{"amd64 as arm64", amd64, "linux/arm64", "is a binary for linux/amd64, want linux/arm64"},
		{"Linux as Windows", amd64, "windows/amd64", "is a binary for linux/amd64, want windows/amd64"},
		{"dynamic", elfFile(t, elf.EM_X86_64, true), "linux/amd64", "dynamically linked"},
		{"RISC-V", elfFile(t, elf.EM_RISCV, false), "linux/riscv64", "linux/EM_RISCV"},
		{"no binary", "main.go", "linux/amd64", "neither"},
	} {
		err := checkBinary(tc.path, tc.platform)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestImage(t *testing.T) {
	folder := func(machine elf.Machine) string {
		path := elfFile(t, machine, false)
		if err := os.Link(path, filepath.Join(filepath.Dir(path), "kubectl-cdpcred")); err != nil {
			t.Fatal(err)
		}
		return filepath.Dir(path)
	}
	platforms := []string{"linux/amd64=" + folder(elf.EM_X86_64), "linux/arm64=" + folder(elf.EM_AARCH64)}
	created := time.Unix(1_800_000_000, 0).UTC()
	write := func() (string, v1.Hash) {
		index, err := indexOf(labels("v1.2.3", "abc", created), created, platforms)
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(t.TempDir(), "image")
		if err := writeLayout(folder, index, "v1.2.3"); err != nil {
			t.Fatal(err)
		}
		digest, err := index.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return folder, digest
	}
	written, digest := write()
	if _, again := write(); again != digest {
		t.Errorf("the same image twice: %s and %s", digest, again)
	}
	path, err := layout.ImageIndexFromPath(written)
	if err != nil {
		t.Fatal(err)
	}
	index, err := path.ImageIndex(digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 2 {
		t.Fatalf("%+v (%v), want two images", manifest, err)
	}
	for i, want := range []string{"amd64", "arm64"} {
		image, err := index.Image(manifest.Manifests[i].Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.OS != "linux" || config.Architecture != want || manifest.Manifests[i].Platform.Architecture != want {
			t.Errorf("image %d is for %s/%s, and for %s in the index, want linux/%s", i, config.OS, config.Architecture, manifest.Manifests[i].Platform, want)
		}
		if c := config.Config; c.User != "65532:65532" || len(c.Entrypoint) != 1 || c.Entrypoint[0] != "/manager" || len(config.RootFS.DiffIDs) != 3 {
			t.Errorf("the configuration for %s is %+v with %d layers", want, c, len(config.RootFS.DiffIDs))
		}
	}
}

func TestRootCertificates(t *testing.T) {
	folder := t.TempDir()
	if err := rootfsCommand([]string{folder}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(folder, "etc/ssl/certs/ca-certificates.crt"))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			t.Errorf("certificate %d: %v", count, err)
		}
		count++
	}
	if count < 100 {
		t.Errorf("%d certificates, want Mozilla's, more than 100", count)
	}
}

func TestArchives(t *testing.T) {
	modified := time.Unix(1_800_000_000, 0).UTC()
	files := []entry{{"kubectl-cdpcred", 0o755, []byte("binary")}, {"LICENSE", 0o644, []byte("text")}}
	first, err := tarGz(files, modified)
	if err != nil {
		t.Fatal(err)
	}
	got, err := unpack(first)
	if err != nil || !reflect.DeepEqual(got, files) {
		t.Errorf("unpacked: %+v (%v), want %+v", got, err, files)
	}
	for name, pack := range map[string]func([]entry, time.Time) ([]byte, error){"tar.gz": tarGz, "zip": zipped} {
		one, err := pack(files, modified)
		two, again := pack(files, modified)
		if err != nil || again != nil || !bytes.Equal(one, two) {
			t.Errorf("the same %s twice: it differs (%v, %v)", name, err, again)
		}
	}
}

func TestNotesAreTheVersionsSection(t *testing.T) {
	const changelog = "# Changelog\n\n## [Unreleased]\n\nnew\n\n## [1.2.3] - 2027-01-01\n\n### Added\n\n- [a page](docs/a.md#b)\n\n## [1.2.2]\n\nold\n"
	for _, tc := range []struct {
		version, want string
		ok            bool
	}{
		{"1.2.3", "### Added\n\n- [a page](docs/a.md#b)", true},
		{"1.2.2", "old", true},
		{"Unreleased", "new", true},
		{"1.2", "", false},
	} {
		if got, ok := section(changelog, tc.version); got != tc.want || ok != tc.ok {
			t.Errorf("%s: %q, %t, want %q, %t", tc.version, got, ok, tc.want, tc.ok)
		}
	}
	const links = "[a](docs/a.md#b) [c](https://example.com/) [d](#e)"
	const want = "[a](" + repository + "/blob/v1.2.3/docs/a.md#b) [c](https://example.com/) [d](#e)"
	if got := absoluteLinks(links, "v1.2.3"); got != want {
		t.Errorf("links: %s, want %s", got, want)
	}
}

func TestKrewManifest(t *testing.T) {
	folder := t.TempDir()
	archive := filepath.Join(folder, "kubectl-cdpcred-v1.2.3-windows-arm64.zip")
	if err := os.WriteFile(archive, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(folder, "cdpcred.yaml")
	if err := krewCommand([]string{"-version", "v1.2.3", "-o", out, archive}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	const want = `
  - selector:
      matchLabels:
        os: windows
        arch: arm64
    uri: https://github.com/cdpcredentials/cdp-credential-operator/releases/download/v1.2.3/kubectl-cdpcred-v1.2.3-windows-arm64.zip
    sha256: 2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881
    bin: kubectl-cdpcred.exe
`
	if !strings.HasSuffix(string(got), want) {
		t.Errorf("the manifest is\n%s\nwant it to end in%s", got, want)
	}
}

func TestProvenance(t *testing.T) {
	folder := t.TempDir()
	sums, predicate, statement := filepath.Join(folder, "SHA256SUMS"), filepath.Join(folder, "p.json"), filepath.Join(folder, "s.json")
	digest := strings.Repeat("ab", 32)
	if err := os.WriteFile(sums, []byte(digest+"  install.yaml\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"-version", "v1.2.3", "-revision", strings.Repeat("cd", 20), "-go", "go1.26.8", "-builder", "https://example.com/workflow",
		"-sums", sums, "-predicate", predicate, "-statement", statement,
	}
	if err := provenanceCommand(args); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(statement)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{digest, "SHA256SUMS", strings.Repeat("cd", 20), "https://slsa.dev/provenance/v1", "https://example.com/workflow", "go@1.26.8"} {
		if !strings.Contains(string(content), want) {
			t.Errorf("the statement lacks %s:\n%s", want, content)
		}
	}
	args[7] = "" // the builder
	if err := provenanceCommand(args); err == nil || !strings.Contains(err.Error(), "builder") {
		t.Errorf("without a builder: %v, want an error", err)
	}
}
