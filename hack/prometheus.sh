#!/usr/bin/env bash
# Prints the folder with prometheus and promtool in the version that hack/tools/prometheus pins. The first call builds them from Go
# modules, without service discovery and web UI, which the tests do not need: about two minutes on two cores, once.
# Only the folder goes to standard output; progress goes to standard error.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
who=prometheus
# shellcheck source=envtest/progress.sh
. "$here/envtest/progress.sh"

module=github.com/prometheus/prometheus
cd "$here/tools/prometheus"
version=$(go list -m -f '{{.Version}}' "$module")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cdp-credential-operator
bin=$cache/prometheus-$version-$(go env GOOS)-$(go env GOARCH)
if [ -d "$bin" ]; then
  echo "$bin"
  exit 0
fi

# Built in a temporary folder and then renamed, so that an interrupted run leaves nothing incomplete.
mkdir -p "$cache"
to=$(mktemp -d "$cache/prometheus.XXXXXX")
log=$to.log
trap 'rm -rf "$to" "$log"' EXIT
say "building prometheus and promtool $version from Go modules: about two minutes on two cores, once"
start=$SECONDS
go_build prometheus "$log" -tags remove_all_sd -ldflags "-s -w" -o "$to/" "$module/cmd/prometheus" "$module/cmd/promtool"
chmod 755 "$to"
[ -d "$bin" ] || mv "$to" "$bin" # another run may have been faster
say "built in $((SECONDS - start))s and kept in $bin"
echo "$bin"
