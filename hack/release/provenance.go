// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	slsa "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// provenanceCommand writes SLSA provenance twice: the predicate alone, which is attached to the image and the chart, and a statement about a list of
// checksums and every file in it.
func provenanceCommand(args []string) error {
	flags := flag.NewFlagSet("provenance", flag.ExitOnError)
	var b build
	flags.StringVar(&b.version, "version", "", "version of the release")
	flags.StringVar(&b.revision, "revision", "", "commit")
	flags.StringVar(&b.goVersion, "go", "", "version of the Go toolchain")
	flags.StringVar(&b.builder, "builder", "", "URI of who builds: the workflow")
	flags.StringVar(&b.invocation, "invocation", "", "URI of the workflow's run")
	sums := flags.String("sums", "", "list of checksums")
	predicate := flags.String("predicate", "", "file to write the predicate to")
	statement := flags.String("statement", "", "file to write the statement to")
	if err := flags.Parse(args); err != nil {
		return err
	}
	subjects, err := subjectsOf(*sums)
	if err != nil {
		return fmt.Errorf("read the checksums: %w", err)
	}
	p, err := b.predicate()
	if err != nil {
		return err
	}
	if err := p.Validate(); err != nil {
		return fmt.Errorf("make the predicate: %w", err)
	}
	if err := writeJSON(*predicate, p); err != nil {
		return err
	}
	fields, err := asStruct(p)
	if err != nil {
		return err
	}
	s := &intoto.Statement{
		Type: intoto.StatementTypeUri, Subject: subjects, PredicateType: "https://slsa.dev/provenance/v1", Predicate: fields,
	}
	if err := s.Validate(); err != nil {
		return fmt.Errorf("make the statement: %w", err)
	}
	return writeJSON(*statement, s)
}

// build describes how a release was built.
type build struct{ version, revision, goVersion, builder, invocation string }

func (b build) predicate() (*slsa.Provenance, error) {
	parameters, err := structpb.NewStruct(map[string]any{"command": "make release VERSION=" + b.version, "version": b.version})
	if err != nil {
		return nil, err
	}
	return &slsa.Provenance{
		BuildDefinition: &slsa.BuildDefinition{
			BuildType:          repository + "/blob/" + b.version + "/hack/release/build.sh",
			ExternalParameters: parameters,
			ResolvedDependencies: []*intoto.ResourceDescriptor{
				{Uri: "git+" + repository + "@refs/tags/" + b.version, Digest: map[string]string{"gitCommit": b.revision}},
				{Name: "go", Uri: "pkg:generic/go@" + strings.TrimPrefix(b.goVersion, "go")},
			},
		},
		RunDetails: &slsa.RunDetails{
			Builder:  &slsa.Builder{Id: b.builder},
			Metadata: &slsa.BuildMetadata{InvocationId: b.invocation},
		},
	}, nil
}

func subjectsOf(path string) ([]*intoto.ResourceDescriptor, error) {
	sums, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	subject := func(name, sum string) *intoto.ResourceDescriptor {
		return &intoto.ResourceDescriptor{Name: name, Digest: map[string]string{"sha256": sum}}
	}
	subjects := []*intoto.ResourceDescriptor{subject(filepath.Base(path), fmt.Sprintf("%x", sha256.Sum256(sums)))}
	for line := range strings.Lines(string(sums)) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			return nil, fmt.Errorf("understand %q", line)
		}
		subjects = append(subjects, subject(name, sum))
	}
	return subjects, nil
}

func asStruct(message proto.Message) (*structpb.Struct, error) {
	encoded, err := protojson.Marshal(message)
	if err != nil {
		return nil, err
	}
	fields := new(structpb.Struct)
	return fields, protojson.Unmarshal(encoded, fields)
}

func writeJSON(path string, message proto.Message) error {
	encoded, err := protojson.MarshalOptions{Multiline: true}.Marshal(message)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(encoded, '\n'), 0o644)
}
