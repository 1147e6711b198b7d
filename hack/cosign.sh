#!/usr/bin/env bash
# Prints the path of cosign in the version that hack/tools/cosign pins. The first call builds it from Go modules: minutes, once.
# Only the path goes to standard output; progress goes to standard error.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
who=cosign
# shellcheck source=envtest/progress.sh
. "$here/envtest/progress.sh"

module=github.com/sigstore/cosign/v3
cd "$here/tools/cosign"
version=$(go list -m -f '{{.Version}}' "$module")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cdp-credential-operator
bin=$cache/cosign-$version-$(go env GOOS)-$(go env GOARCH)
if [ -x "$bin" ]; then
  echo "$bin"
  exit 0
fi

# Built beside its final place and renamed, so that an interrupted run leaves nothing half done.
mkdir -p "$cache"
to=$(mktemp -d "$cache/cosign.XXXXXX")
trap 'rm -rf "$to"' EXIT
say "building cosign $version from Go modules: about five minutes on two cores, once"
start=$SECONDS
go_build cosign "$to/log" -ldflags "-s -w -X sigs.k8s.io/release-utils/version.gitVersion=$version" -o "$to/" "$module/cmd/cosign"
mv "$to/cosign" "$bin"
say "built in $((SECONDS - start))s and kept as $bin"
echo "$bin"
