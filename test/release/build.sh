#!/usr/bin/env bash
# Makes two releases of this commit, and a key pair to sign them with, for TestRelease: test/release/build.sh FOLDER REGISTRY
# The folder begins empty.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

to=$1 registry=$2
rm -rf "$to"
mkdir -p "$to"
# shellcheck source=../../hack/release/anycommit.sh
. hack/release/anycommit.sh
# The plugin for each system once; a release has it for two architectures of each, which only takes longer.
export PLUGIN_PLATFORMS=${PLUGIN_PLATFORMS:-linux/amd64 linux/arm64 darwin/arm64 windows/amd64}
make -s --no-print-directory release VERSION=v0.1.0 REGISTRY="$registry" DIST="$to/v0.1.0"
# The next version only has to be upgraded to.
PLUGIN_PLATFORMS=linux/amd64 make -s --no-print-directory release VERSION=v0.1.1 REGISTRY="$registry" DIST="$to/v0.1.1"
# The test has no network to get them by.
go tool -modfile=hack/release/go.mod crane version >/dev/null
go tool -modfile=hack/tools/krew/go.mod krew version >/dev/null
cosign=$(hack/cosign.sh)
for name in cosign other; do # other has signed nothing
  COSIGN_PASSWORD='' "$cosign" generate-key-pair --output-key-prefix "$to/$name" 2>/dev/null
done
