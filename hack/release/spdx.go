// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

const noAssertion = "NOASSERTION"

// writeSPDX says in SPDX 2.3 what a CycloneDX document says: components, their package URLs and checksums, and what depends on what.
func writeSPDX(bom *cdx.BOM, path string) error {
	name := strings.TrimSuffix(filepath.Base(path), ".spdx.json")
	root := *bom.Metadata.Component
	document := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT", DocumentName: name,
		DocumentNamespace: repository + "/spdx/" + root.Version + "/" + name,
		CreationInfo:      &spdx.CreationInfo{Created: bom.Metadata.Timestamp, Creators: []common.Creator{{CreatorType: "Tool", Creator: "cyclonedx-gomod"}}},
	}
	ids := map[string]string{} // by CycloneDX reference
	for i, component := range append([]cdx.Component{root}, *bom.Components...) {
		id := fmt.Sprintf("Package-%d", i)
		ids[component.BOMRef] = id
		document.Packages = append(document.Packages, spdxPackage(id, component))
	}
	relate := func(from, kind, to string) {
		document.Relationships = append(document.Relationships, &spdx.Relationship{
			RefA: common.MakeDocElementID("", from), Relationship: kind, RefB: common.MakeDocElementID("", to),
		})
	}
	relate("DOCUMENT", common.TypeRelationshipDescribe, ids[root.BOMRef])
	for _, dependency := range *bom.Dependencies {
		if dependency.Dependencies == nil {
			continue
		}
		for _, on := range *dependency.Dependencies {
			relate(ids[dependency.Ref], common.TypeRelationshipDependsOn, ids[on])
		}
	}
	var out bytes.Buffer
	if err := json.Write(document, &out, json.Indent("  ")); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

func spdxPackage(id string, component cdx.Component) *spdx.Package {
	p := &spdx.Package{
		PackageSPDXIdentifier: common.ElementID(id), PackageName: component.Name, PackageVersion: component.Version,
		PackageDownloadLocation: noAssertion, PackageLicenseConcluded: noAssertion, PackageLicenseDeclared: noAssertion,
		PackageCopyrightText: noAssertion, IsFilesAnalyzedTagPresent: true, PrimaryPackagePurpose: strings.ToUpper(string(component.Type)),
	}
	if component.PackageURL != "" {
		p.PackageExternalReferences = []*spdx.PackageExternalReference{
			{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: component.PackageURL},
		}
	}
	if component.Hashes != nil {
		for _, hash := range *component.Hashes {
			if hash.Algorithm == cdx.HashAlgoSHA256 {
				p.PackageChecksums = append(p.PackageChecksums, common.Checksum{Algorithm: common.SHA256, Value: hash.Value})
			}
		}
	}
	return p
}
