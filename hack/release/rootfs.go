// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nonroot is the user of the image, the same as in distroless images.
const nonroot = "65532:65532"

// entry is a file or, if its name ends in a slash, a folder.
type entry struct {
	name    string
	mode    int64
	content []byte
}

// rootfs is everything that a static binary needs around it: user names, and Mozilla's CA certificates in the version that go.mod pins. The
// Dockerfile and the release's image both start from it, so no base image must be pulled or trusted.
func rootfs() []entry {
	return []entry{
		{"etc/", 0o755, nil},
		{"etc/group", 0o644, []byte("root:x:0:\nnonroot:x:65532:\n")},
		{"etc/passwd", 0o644, []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{"etc/ssl/", 0o755, nil},
		{"etc/ssl/certs/", 0o755, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, certificates()},
		{"tmp/", 0o1777, nil},
	}
}

// certificates skips the roots that Mozilla trusts only under a condition, because a PEM file cannot express one.
func certificates() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return out.Bytes()
}

func rootfsCommand(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the folder to write to, got %q", args)
	}
	for _, e := range rootfs() {
		path := filepath.Join(args[0], e.name)
		mode := os.FileMode(e.mode).Perm()
		if strings.HasSuffix(e.name, "/") {
			if err := os.MkdirAll(path, mode); err != nil {
				return err
			}
			if e.mode&0o1000 != 0 {
				mode |= os.ModeSticky
			}
		} else if err := os.WriteFile(path, e.content, mode); err != nil {
			return err
		}
		if err := os.Chmod(path, mode); err != nil { // independent of the umask
			return err
		}
	}
	return nil
}
