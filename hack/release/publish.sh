#!/usr/bin/env bash
# Pushes the image and the chart that build.sh made to REGISTRY: hack/release/publish.sh v1.2.3
# Log in first with `go tool -modfile=hack/release/go.mod crane auth login`; Helm and cosign read the same file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=names.sh
. hack/release/names.sh "${1:-}"

quietly crane push "$dist/image" "$repository:$version"
# shellcheck disable=SC2086 # $helm_http is a flag or nothing
quietly helm push $helm_http "$dist/$chart_file" "oci://${chart_repository%/*}"
echo "release: pushed $repository:$version@$(digest index)" >&2
echo "release: pushed $chart_repository:${version#v}@$(crane digest "$chart_repository:${version#v}")" >&2
