// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// sbomCommand sets the time of cyclonedx-gomod's SBOM of a binary to the commit's, and writes the same in SPDX format next to it.
func sbomCommand(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give NAME.cdx.json, got %q", args)
	}
	bom, err := readBOM(args[0])
	if err != nil {
		return err
	}
	return writeBOM(bom, args[0])
}

// imageSBOMCommand describes an image: its binaries, from their own SBOMs, and the CA certificates.
func imageSBOMCommand(args []string) error {
	flags := flag.NewFlagSet("image-sbom", flag.ExitOnError)
	name := flags.String("image", "", "repository of the image")
	version := flags.String("version", "", "version of the release")
	digest := flags.String("digest", "", "digest of the platform's image")
	platform := flags.String("platform", "", "OS/ARCH")
	out := flags.String("o", "", "NAME.cdx.json to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	isMissing := slices.Contains([]string{*name, *version, *digest, *platform, *out}, "")
	if isMissing || flags.NArg() == 0 {
		return fmt.Errorf("give -image, -version, -digest, -platform, -o and the SBOM of each binary, got %q", args)
	}
	roots, err := rootsComponent()
	if err != nil {
		return err
	}
	image := cdx.Component{
		Type: cdx.ComponentTypeContainer, Name: *name, Version: *version, BOMRef: "image", PackageURL: imageURL(*name, *digest, *platform),
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &image}
	whole := parts{bom: bom, known: map[string]bool{}}
	whole.add([]cdx.Component{roots}, nil)
	contains := []string{roots.BOMRef}
	for _, path := range flags.Args() {
		binary, err := readBOM(path)
		if err != nil {
			return err
		}
		bom.Metadata.Tools = binary.Metadata.Tools
		whole.add(append([]cdx.Component{*binary.Metadata.Component}, *binary.Components...), *binary.Dependencies)
		contains = append(contains, binary.Metadata.Component.BOMRef)
	}
	whole.add(nil, []cdx.Dependency{{Ref: image.BOMRef, Dependencies: &contains}})
	return writeBOM(bom, *out)
}

// parts collects components and dependencies, which several binaries may share.
type parts struct {
	bom   *cdx.BOM
	known map[string]bool
}

func (p parts) add(components []cdx.Component, dependencies []cdx.Dependency) {
	if p.bom.Components == nil {
		p.bom.Components, p.bom.Dependencies = new([]cdx.Component), new([]cdx.Dependency)
	}
	for _, component := range components {
		if key := "component " + component.BOMRef; !p.known[key] {
			p.known[key] = true
			*p.bom.Components = append(*p.bom.Components, component)
		}
	}
	for _, dependency := range dependencies {
		if key := "dependency " + dependency.Ref; !p.known[key] {
			p.known[key] = true
			*p.bom.Dependencies = append(*p.bom.Dependencies, dependency)
		}
	}
}

// imageURL returns the image's package URL (purl) of type oci.
func imageURL(name, digest, platform string) string {
	_, arch, _ := strings.Cut(platform, "/")
	query := url.Values{"arch": {arch}, "repository_url": {name}}
	return fmt.Sprintf("pkg:oci/%s@%s?%s", product, url.QueryEscape(digest), query.Encode())
}

// rootsComponent returns the module with rootfs's CA certificates, in the version that this program was built with.
func rootsComponent() (cdx.Component, error) {
	const module = "golang.org/x/crypto/x509roots/fallback"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cdx.Component{}, fmt.Errorf("read this program's own modules")
	}
	at := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == module })
	if at < 0 {
		return cdx.Component{}, fmt.Errorf("find %s among this program's modules", module)
	}
	version := info.Deps[at].Version
	packageURL := "pkg:golang/" + module + "@" + version
	return cdx.Component{
		Type: cdx.ComponentTypeLibrary, Name: module, Version: version, BOMRef: packageURL, PackageURL: packageURL,
		Description: "Mozilla's CA certificates, in /etc/ssl/certs/ca-certificates.crt",
	}, nil
}

func readBOM(path string) (*cdx.BOM, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	bom := new(cdx.BOM)
	if err := cdx.NewBOMDecoder(file, cdx.BOMFileFormatJSON).Decode(bom); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if bom.Metadata == nil || bom.Metadata.Component == nil || bom.Components == nil || bom.Dependencies == nil {
		return nil, fmt.Errorf("%s lacks a subject, components or dependencies", path)
	}
	return bom, nil
}

func writeBOM(bom *cdx.BOM, path string) error {
	created, err := commitTime()
	if err != nil {
		return err
	}
	bom.Metadata.Timestamp = created.Format(time.RFC3339)
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := cdx.NewBOMEncoder(file, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := file.Close(); err != nil {
		return err
	}
	return writeSPDX(bom, strings.TrimSuffix(path, ".cdx.json")+".spdx.json")
}
