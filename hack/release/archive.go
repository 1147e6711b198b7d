// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// archiveCommand packs the plugin's binary and the license into a tar.gz, or into a zip for Windows.
func archiveCommand(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("give OS/ARCH, the binary, the license and the archive to write, got %q", args)
	}
	platform, binary, license, out := args[0], args[1], args[2], args[3]
	if err := checkBinary(binary, platform); err != nil {
		return err
	}
	modified, err := commitTime()
	if err != nil {
		return err
	}
	files := []entry{{name: filepath.Base(binary), mode: 0o755}, {name: "LICENSE", mode: 0o644}}
	for i, path := range []string{binary, license} {
		if files[i].content, err = os.ReadFile(path); err != nil {
			return err
		}
	}
	pack := tarGz
	if strings.HasSuffix(out, ".zip") {
		pack = zipped
	}
	content, err := pack(files, modified)
	if err != nil {
		return fmt.Errorf("pack %s: %w", out, err)
	}
	return os.WriteFile(out, content, 0o644)
}

func tarGz(files []entry, modified time.Time) ([]byte, error) {
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	w := tar.NewWriter(compressed)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Size: int64(len(f.content)), Mode: f.mode, ModTime: modified}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	err := errors.Join(w.Close(), compressed.Close())
	return out.Bytes(), err
}

func zipped(files []entry, modified time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: modified}
		header.SetMode(os.FileMode(f.mode))
		file, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := file.Write(f.content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// repackCommand sets the time of a chart's archive, and of the files in it, to the commit's: `helm package` uses the current time.
func repackCommand(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("give the tar.gz to rewrite, got %q", args)
	}
	modified, err := commitTime()
	if err != nil {
		return err
	}
	content, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	files, err := unpack(content)
	if err != nil {
		return fmt.Errorf("read %s: %w", args[0], err)
	}
	if content, err = tarGz(files, modified); err != nil {
		return fmt.Errorf("pack %s: %w", args[0], err)
	}
	if err := os.WriteFile(args[0], content, 0o644); err != nil {
		return err
	}
	return os.Chtimes(args[0], modified, modified) // `helm push` writes it into the manifest
}

func unpack(content []byte) ([]entry, error) {
	uncompressed, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	var files []entry
	for r := tar.NewReader(uncompressed); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		files = append(files, entry{header.Name, header.Mode, content})
	}
}
