#!/usr/bin/env bash
# Prints the folder that holds prometheus and promtool:
#   1. where they are, if both are in PATH (of one folder);
#   2. what an earlier run left in the cache folder;
#   3. the binaries of Debian's package prometheus, which is downloaded and unpacked there, not installed: so nothing is started, and
#      nobody needs to be root unless apt-get has no lists yet.
# Only the folder goes to standard output; what is going on goes to standard error.
set -euo pipefail

say() { printf 'prometheus: %s\n' "$*" >&2; }
complete() { [ -x "$1/prometheus" ] && [ -x "$1/promtool" ]; }

if found=$(command -v prometheus) && complete "$(dirname "$found")"; then
  dirname "$found"
  exit 0
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/cdp-credential-operator
bin=$cache/prometheus
if complete "$bin"; then
  echo "$bin"
  exit 0
fi
for command in apt-get dpkg-deb; do
  command -v "$command" >/dev/null || {
    say "there is no prometheus in PATH, and no $command to get Debian's: install Prometheus"
    exit 1
  }
done

mkdir -p "$cache"
to=$(mktemp -d "$cache/prometheus.XXXXXX")
trap 'rm -rf "$to"' EXIT
download() { (cd "$to" && apt-get -qq download -o APT::Sandbox::User=root prometheus) >&2; }
say "downloading Debian's package prometheus"
# Without lists apt-get knows no package; with old ones it asks for a version that is there no more.
download || { apt-get -qq update >&2 && download; } || {
  say "apt-get cannot download it: install Prometheus"
  exit 1
}
dpkg-deb -x "$to"/*.deb "$to/package"
complete "$to/package/usr/bin" || { say "Debian's package lacks prometheus or promtool"; exit 1; }
mv "$to/package/usr/bin" "$to/bin"
mv -T "$to/bin" "$bin" 2>/dev/null || complete "$bin" # another run may have been faster
say "kept in $bin"
echo "$bin"
