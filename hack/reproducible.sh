#!/usr/bin/env bash
# Makes a release here, and another from a clone in another folder with another build cache, and compares the checksums of all files.
#   PLUGIN_PLATFORMS  OS/ARCH of the kubectl plugin to compare (those of the manager; the others only take longer)
# The other build cache is kept next to that of the tests: only what has changed is compiled again, and nothing in it comes from the
# compilation that it is compared with. Filling it takes some minutes, once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$1
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || version=v0.0.0
export PLUGIN_PLATFORMS=${PLUGIN_PLATFORMS:-linux/amd64 linux/arm64}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

make -s --no-print-directory release VERSION="$version" DIST="$scratch/here"
git clone --quiet . "$scratch/elsewhere"
PRODUCT_GOCACHE=${XDG_CACHE_HOME:-$HOME/.cache}/cdp-credential-operator/reproducible \
  make -s --no-print-directory -C "$scratch/elsewhere" release VERSION="$version" DIST="$scratch/there"
diff "$scratch/here/SHA256SUMS" "$scratch/there/SHA256SUMS" || {
  echo "NOT reproducible: the files above differ" >&2
  exit 1
}
echo "reproducible: $(wc -l <"$scratch/here/SHA256SUMS") files, image $(sed -n 's/ index$//p' "$scratch/here/image-digests.txt")"
