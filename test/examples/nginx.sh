#!/usr/bin/env bash
# Prints the folder of nginx: that in PATH, or else one that is unpacked from Debian's package, once. The package is not installed: that would start a server.
set -euo pipefail

if path=$(command -v nginx); then
  dirname "$path"
  exit 0
fi
kept=${XDG_CACHE_HOME:-$HOME/.cache}/cdp-credential-operator/nginx
if [ -x "$kept/usr/sbin/nginx" ]; then
  echo "$kept/usr/sbin"
  exit 0
fi
{ command -v apt-get && command -v dpkg-deb; } >/dev/null || {
  echo "nginx.sh: there is no nginx in PATH, and no apt-get to get it with" >&2
  exit 1
}

mkdir -p "$(dirname "$kept")"
to=$(mktemp -d "$kept.XXXXXX")
trap 'rm -rf "$to"' EXIT
chmod 755 "$to"
cd "$to"
# The binary is in another package in each version of Debian and Ubuntu.
for package in nginx nginx-light nginx-core; do
  apt-get -qq download "$package" 2>/dev/null || { apt-get -qq update && apt-get -qq download "$package"; } >&2 || continue
  dpkg-deb -x "$package"_*.deb root
  if [ -x root/usr/sbin/nginx ] && root/usr/sbin/nginx -v 2>/dev/null; then
    rm -rf "$kept"
    mv root "$kept"
    echo "$kept/usr/sbin"
    exit 0
  fi
done
echo "nginx.sh: none of Debian's packages has an nginx that runs here" >&2
exit 1
