#!/usr/bin/env bash
# Builds the release binaries here and in a copy of the sources elsewhere, with a build cache of its own, and compares.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/elsewhere/src"
cp -R go.mod go.sum Makefile api cmd controllers internal "$scratch/elsewhere/src/"

differ=0
for arch in amd64 arm64; do
  GOOS=linux GOARCH=$arch make --silent build VERSION="$1" >/dev/null
  here=$(sha256sum bin/manager | cut -d' ' -f1)
  (cd "$scratch/elsewhere/src" && GOCACHE=$scratch/cache GOOS=linux GOARCH=$arch make --silent build VERSION="$1" >/dev/null)
  there=$(sha256sum "$scratch/elsewhere/src/bin/manager" | cut -d' ' -f1)
  if [ "$here" = "$there" ]; then
    echo "reproducible: linux/$arch $here"
  else
    echo "NOT reproducible: linux/$arch $here and $there" >&2
    differ=1
  fi
done
exit $differ
