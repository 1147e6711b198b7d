// SPDX-License-Identifier: Apache-2.0

// Command release makes those parts of a release for which there is no command-line tool: the image, the archives of the kubectl plugin, its krew
// manifest, SBOMs, provenance, release notes and checksums. build.sh beside it calls it. The same input gives the same files: nothing depends on the
// machine, and times are SOURCE_DATE_EPOCH, the commit's.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

const (
	repository = "https://github.com/cdpcredentials/cdp-credential-operator"
	product    = "cdp-credential-operator"
	plugin     = "kubectl-cdpcred"
)

func main() {
	commands := map[string]func([]string) error{
		"archive":    archiveCommand,
		"image":      imageCommand,
		"image-sbom": imageSBOMCommand,
		"krew":       krewCommand,
		"notes":      notesCommand,
		"provenance": provenanceCommand,
		"repack":     repackCommand,
		"rootfs":     rootfsCommand,
		"sbom":       sbomCommand,
		"sums":       sumsCommand,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "release: give a command; build.sh shows how each is called")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "release %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// commitTime returns the time that the release's files have.
func commitTime() (time.Time, error) {
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("read SOURCE_DATE_EPOCH, want the commit's time in seconds: %w", err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
