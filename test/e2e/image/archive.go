// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// image is an image with an empty base and one binary.
type image struct {
	Tag          string
	User         string // uid:gid
	Path         string // of the binary, and the entry point
	Binary       []byte
	Certificates []byte // PEM; empty means none
	Architecture string
}

// file is an entry of an archive. A folder's name ends in a slash.
type file struct {
	name    string
	mode    fs.FileMode
	content []byte
}

// archive returns a docker-archive: manifest.json, which names the configuration and the layers.
func (i image) archive() ([]byte, error) {
	layer, err := pack(i.files())
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": i.Architecture,
		"os":           "linux",
		"config":       map[string]any{"User": i.User, "Entrypoint": []string{i.Path}, "WorkingDir": "/"},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []string{fmt.Sprintf("sha256:%x", sha256.Sum256(layer))}},
	})
	if err != nil {
		return nil, err
	}
	configName := fmt.Sprintf("%x.json", sha256.Sum256(config))
	manifest, err := json.Marshal([]map[string]any{{"Config": configName, "RepoTags": []string{i.Tag}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return nil, err
	}
	return pack([]file{
		{name: configName, mode: 0o644, content: config},
		{name: "layer.tar", mode: 0o644, content: layer},
		{name: "manifest.json", mode: 0o644, content: manifest},
	})
}

func (i image) files() []file {
	files := []file{
		{name: "etc/", mode: 0o755},
		{name: "etc/passwd", mode: 0o644, content: []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{name: "tmp/", mode: 0o777 | fs.ModeSticky},
	}
	if len(i.Certificates) > 0 {
		files = append(files,
			file{name: "etc/ssl/", mode: 0o755},
			file{name: "etc/ssl/certs/", mode: 0o755},
			file{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: i.Certificates})
	}
	return append(files, file{name: strings.TrimPrefix(path.Clean(i.Path), "/"), mode: 0o755, content: i.Binary})
}

// pack writes a tar that does not depend on time and user.
func pack(files []file) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.content)), Mode: int64(f.mode.Perm())}
		if strings.HasSuffix(f.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if f.mode&fs.ModeSticky != 0 {
			header.Mode |= 0o1000
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("write the header of %s: %w", f.name, err)
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, fmt.Errorf("write %s: %w", f.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
