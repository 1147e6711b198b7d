// SPDX-License-Identifier: Apache-2.0

package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// notesCommand prints a version's section of the changelog, or Unreleased if the version has no section yet.
func notesCommand(args []string) error {
	flags := flag.NewFlagSet("notes", flag.ExitOnError)
	version := flags.String("version", "", "version of the release")
	image := flags.String("image", "", "image with its digest")
	chart := flags.String("chart", "", "the chart's oci:// address")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *version == "" || *image == "" || *chart == "" || flags.NArg() != 1 {
		return fmt.Errorf("give -version, -image, -chart and the changelog, got %q", args)
	}
	changelog, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	number := strings.TrimPrefix(*version, "v")
	text, ok := section(string(changelog), number)
	if !ok {
		fmt.Fprintf(os.Stderr, "release notes: %s has no section [%s]; taking Unreleased\n", flags.Arg(0), number)
		if text, ok = section(string(changelog), "Unreleased"); !ok {
			return fmt.Errorf("%s has neither a section [%s] nor one [Unreleased]", flags.Arg(0), number)
		}
	}
	fmt.Printf(notes, *chart, number, *image, repository, *version, absoluteLinks(text, *version))
	return nil
}

// section returns the text below a heading `## [name]`, up to the next heading of that level.
func section(changelog, name string) (string, bool) {
	_, text, ok := strings.Cut("\n"+changelog, "\n## ["+name+"]")
	if !ok {
		return "", false
	}
	_, text, _ = strings.Cut(text, "\n") // the date
	text, _, _ = strings.Cut(text, "\n## ")
	return strings.TrimSpace(text), true
}

var relativeLink = regexp.MustCompile(`\]\(([a-z][^):]*)\)`)

// absoluteLinks makes links to files of the repository work on the page of a release.
func absoluteLinks(text, version string) string {
	return relativeLink.ReplaceAllString(text, "]("+repository+"/blob/"+version+"/$1)")
}

const notes = "```sh\n" +
	`helm install cdp-credential-operator %s --version %s --namespace cdp-credential-operator-system --create-namespace
` + "```" + `

Image: ` + "`%s`" + `. How to check signatures, provenance and checksums: [SECURITY.md](%s/blob/%s/SECURITY.md#checking-a-release).

%s
`
