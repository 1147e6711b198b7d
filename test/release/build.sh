#!/usr/bin/env bash
# Makes two releases of this commit for TestRelease: test/release/build.sh FOLDER REGISTRY
# The folder begins empty. Uncommitted changes are a failure in CI only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

to=$1 registry=$2
rm -rf "$to"
mkdir -p "$to"
[ "${CI:-}" = true ] || export RELEASE_DIRTY=1
make -s --no-print-directory release VERSION=v0.1.0 REGISTRY="$registry" DIST="$to/v0.1.0"
# The next version only has to be upgraded to.
PLUGIN_PLATFORMS=linux/amd64 make -s --no-print-directory release VERSION=v0.1.1 REGISTRY="$registry" DIST="$to/v0.1.1"
# The test has no network to get them by.
go tool -modfile=hack/release/go.mod crane version >/dev/null
