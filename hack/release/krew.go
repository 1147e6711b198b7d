// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// krewCommand writes the manifest with which krew, kubectl's plugin manager, installs the plugin: the address and checksum of each platform's
// archive.
func krewCommand(args []string) error {
	flags := flag.NewFlagSet("krew", flag.ExitOnError)
	version := flags.String("version", "", "version of the release")
	out := flags.String("o", "", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *version == "" || *out == "" || flags.NArg() == 0 {
		return fmt.Errorf("give -version, -o and the archives, got %q", args)
	}
	archives := make([]krewArchive, flags.NArg())
	for i, path := range flags.Args() {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		archives[i] = krewArchive{File: filepath.Base(path), SHA256: fmt.Sprintf("%x", sha256.Sum256(content)), Bin: plugin}
		archives[i].OS, archives[i].Arch = platformOf(archives[i].File)
		if archives[i].OS == "windows" {
			archives[i].Bin += ".exe"
		}
	}
	var manifest bytes.Buffer
	if err := krewManifest.Execute(&manifest, map[string]any{"Version": *version, "Repository": repository, "Archives": archives}); err != nil {
		return err
	}
	return os.WriteFile(*out, manifest.Bytes(), 0o644)
}

type krewArchive struct{ File, SHA256, Bin, OS, Arch string }

// platformOf parses the end of an archive's name, such as -linux-arm64.tar.gz.
func platformOf(file string) (goos, goarch string) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(file, ".tar.gz"), ".zip"), "-")
	return parts[len(parts)-2], parts[len(parts)-1]
}

var krewManifest = template.Must(template.New("").Parse(`apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: cdpcred
spec:
  version: {{.Version}}
  homepage: {{.Repository}}
  shortDescription: Why a CDPCredential is not ready, and what to do
  description: |
    For whoever is on call for cdp-credential-operator: why a CDPCredential is
    not ready, since when, and who has to do what next; try a credential before
    it is applied; renew, suspend and resume.
  platforms:
{{- range .Archives}}
  - selector:
      matchLabels:
        os: {{.OS}}
        arch: {{.Arch}}
    uri: {{$.Repository}}/releases/download/{{$.Version}}/{{.File}}
    sha256: {{.SHA256}}
    bin: {{.Bin}}
{{- end}}
`))
