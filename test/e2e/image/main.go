// SPDX-License-Identifier: Apache-2.0

// Command image makes a container image of one static binary without a container engine: a docker-archive file, as `docker save` writes them, for
// `ctr images import`, `kind load image-archive` and `docker load`. The same input gives the same file.
//
// image -tag NAME:TAG -binary bin/manager -dockerfile Dockerfile -o manager.tar
//
// With a Dockerfile, the binary's path, the user and the entry point are those of its last stage. The CA certificates are this machine's. The images
// of releases are made by hack/release instead, and tested by TestRelease of test/e2e.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("image", flag.ExitOnError)
	tag := flags.String("tag", "", "NAME:TAG of the image")
	binary := flags.String("binary", "", "static binary")
	dockerfile := flags.String("dockerfile", "", "Dockerfile with user and entry point; empty: 65532:65532 and the binary")
	out := flags.String("o", "", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *tag == "" || *binary == "" || *out == "" || flags.NArg() > 0 {
		return fmt.Errorf("-tag, -binary and -o are required, and no arguments: got %q", args)
	}
	image := image{Tag: *tag, User: "65532:65532", Path: "/main", Architecture: runtime.GOARCH}
	if *dockerfile != "" {
		last, err := lastStageOf(*dockerfile)
		if err != nil {
			return err
		}
		image.User, image.Path = last.user, last.entrypoint
	}
	var err error
	if image.Binary, err = os.ReadFile(*binary); err != nil {
		return fmt.Errorf("read the binary: %w", err)
	}
	if image.Certificates, err = certificates(); err != nil {
		return err
	}
	return image.write(*out)
}

func (i image) write(file string) error {
	archive, err := i.archive()
	if err != nil {
		return fmt.Errorf("pack the image: %w", err)
	}
	if err := os.WriteFile(file, archive, 0o600); err != nil {
		return fmt.Errorf("write the image: %w", err)
	}
	return nil
}

func lastStageOf(dockerfile string) (stage, error) {
	content, err := os.ReadFile(dockerfile) //nolint:gosec // the one that the caller names
	if err != nil {
		return stage{}, fmt.Errorf("read the Dockerfile: %w", err)
	}
	last, err := lastStage(string(content))
	if err != nil {
		return stage{}, fmt.Errorf("read %s: %w", dockerfile, err)
	}
	return last, nil
}

// certificates returns the machine's CA certificates, if it has any: a pod that calls no public endpoint needs none.
func certificates() ([]byte, error) {
	content, err := os.ReadFile("/etc/ssl/certs/ca-certificates.crt")
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the machine's CA certificates: %w", err)
	}
	return content, nil
}
