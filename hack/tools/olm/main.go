// SPDX-License-Identifier: Apache-2.0

// Command olm makes a bundle for the Operator Lifecycle Manager from the manifests on its standard input, those of config/default, and lets Operator
// Framework's own library validate it:
//
//	kustomize build config/default | olm -version v1.2.3 -samples config/samples -icon docs/images/logo.svg -o dist/bundle
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	version := flag.String("version", "", "version of the operator")
	samples := flag.String("samples", "config/samples", "folder with example objects")
	icon := flag.String("icon", "", "SVG file")
	out := flag.String("o", "dist/bundle", "folder to write to; its content is replaced")
	only := flag.String("validate", "", "only validate the bundle in this folder")
	flag.Parse()
	if *only != "" {
		end(validate(*only))
		return
	}
	end(run(*version, *samples, *icon, *out))
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "olm:", err)
		os.Exit(1)
	}
}

func run(version, samples, icon, out string) error {
	objects, err := read(os.Stdin)
	if err != nil {
		return err
	}
	csv, err := serviceVersion(objects, semantic(version))
	if err != nil {
		return err
	}
	if err := decorate(csv, samples, icon); err != nil {
		return err
	}
	if err := write(out, csv, objects); err != nil {
		return err
	}
	return validate(out)
}
