#!/usr/bin/env bash
# Lists the files of dist/ that are uploaded to a release's page: all but the image, which is in the registry.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=names.sh
. hack/release/names.sh "${1:-}"
find "$dist" -maxdepth 1 -type f ! -name release-notes.md ! -name provenance.json | sort
