// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// programs are the programs in an image, from the folder of its platform. `helm test` runs the plugin.
var programs = []string{"manager", plugin}

// imageCommand writes an OCI layout with an image for each platform and prints the digests: first that of the index, which is the image's, then each
// platform's.
func imageCommand(args []string) error {
	flags := flag.NewFlagSet("image", flag.ExitOnError)
	version := flags.String("version", "", "version of the release")
	revision := flags.String("revision", "", "commit")
	out := flags.String("o", "", "folder to write to; must not exist")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *version == "" || *revision == "" || *out == "" || flags.NArg() == 0 {
		return fmt.Errorf("give -version, -revision, -o and OS/ARCH=FOLDER for each platform, got %q", args)
	}
	created, err := commitTime()
	if err != nil {
		return err
	}
	index, err := indexOf(labels(*version, *revision, created), created, flags.Args())
	if err != nil {
		return err
	}
	if err := writeLayout(*out, index, *version); err != nil {
		return fmt.Errorf("write the layout: %w", err)
	}
	return printDigests(index)
}

func printDigests(index v1.ImageIndex) error {
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	fmt.Println(digest, "index")
	for _, image := range manifest.Manifests {
		fmt.Println(image.Digest, image.Platform)
	}
	return nil
}

func labels(version, revision string, created time.Time) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":         product,
		"org.opencontainers.image.description":   "Exchanges client credentials for access tokens and keeps them fresh in Secrets",
		"org.opencontainers.image.source":        repository,
		"org.opencontainers.image.documentation": repository + "/blob/" + version + "/README.md",
		"org.opencontainers.image.licenses":      "Apache-2.0",
		"org.opencontainers.image.version":       version,
		"org.opencontainers.image.revision":      revision,
		"org.opencontainers.image.created":       created.Format(time.RFC3339),
	}
}

// indexOf returns the index of the images for each OS/ARCH=FOLDER.
func indexOf(labels map[string]string, created time.Time, platforms []string) (v1.ImageIndex, error) {
	base, err := layerOf(rootfs())
	if err != nil {
		return nil, err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, argument := range platforms {
		platform, folder, _ := strings.Cut(argument, "=")
		image, err := imageOf(platform, folder, base, labels, created)
		if err != nil {
			return nil, fmt.Errorf("make the image for %s: %w", platform, err)
		}
		goos, goarch, _ := strings.Cut(platform, "/")
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: goos, Architecture: goarch}},
		})
	}
	annotated, _ := mutate.Annotations(index, labels).(v1.ImageIndex)
	return annotated, nil
}

func writeLayout(out string, index v1.ImageIndex, version string) error {
	path, err := layout.Write(out, empty.Index)
	if err != nil {
		return err
	}
	return path.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": version}))
}

// imageOf returns the image for one platform: the layer that all have in common, and one layer per program.
func imageOf(platform, folder string, base v1.Layer, labels map[string]string, created time.Time) (v1.Image, error) {
	layers := []v1.Layer{base}
	for _, program := range programs {
		path := filepath.Join(folder, program)
		if err := checkBinary(path, platform); err != nil {
			return nil, err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		layer, err := layerOf([]entry{{program, 0o755, content}})
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	image, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), layers...)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, _ = strings.Cut(platform, "/")
	config.Created = v1.Time{Time: created}
	config.Config = v1.Config{User: nonroot, WorkingDir: "/", Entrypoint: []string{"/manager"}, Labels: labels}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, err
	}
	annotated, _ := mutate.Annotations(image, labels).(v1.Image)
	return annotated, nil
}

// layerOf packs files in the given order, without times and owners.
func layerOf(files []entry) (v1.Layer, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.content)), Mode: f.mode, ModTime: time.Unix(0, 0)}
		if strings.HasSuffix(f.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(packed.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}
