#!/usr/bin/env bash
# Makes a release here, and another from a copy in another folder, and compares the checksums of all files.
#   PLUGIN_PLATFORMS  OS/ARCH of the kubectl plugin to compare (those of the image; the others only take longer)
# In the copy, a comment is added to each of our Go files. That changes no binary, but makes the go command compile our packages again; only those
# of others come from its cache. Starting from an empty cache would prove little more, and take ten minutes or longer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$1
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || version=v0.0.0
export PLUGIN_PLATFORMS=${PLUGIN_PLATFORMS:-linux/amd64 linux/arm64}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
release() { make -s --no-print-directory "$@" release VERSION="$version"; }

# shellcheck source=release/anycommit.sh
. hack/release/anycommit.sh
release DIST="$scratch/here"
mkdir "$scratch/elsewhere"
tar --exclude=./.git --exclude=./bin --exclude=./dist -cf - . | tar -xf - -C "$scratch/elsewhere"
find "$scratch/elsewhere"/{api,cmd,controllers,internal} -name '*.go' -exec sh -c 'for file; do printf "\n// Compiled again.\n" >>"$file"; done' - {} +
release -C "$scratch/elsewhere" DIST="$scratch/there"
diff "$scratch/here/SHA256SUMS" "$scratch/there/SHA256SUMS" || {
  echo "NOT reproducible: the files above differ" >&2
  exit 1
}
echo "reproducible: $(wc -l <"$scratch/here/SHA256SUMS") files, image $(sed -n 's/ index$//p' "$scratch/here/image-digests.txt")"
