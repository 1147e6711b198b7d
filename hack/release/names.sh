# shellcheck shell=bash disable=SC2034 # the scripts that source this file use them
# The names of a release's files and addresses: . names.sh v1.2.3
version=$1
[[ $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || {
  echo "release: VERSION is '$version'; give one like VERSION=v1.2.3" >&2
  exit 1
}
dist=${DIST:-dist}
registry=${REGISTRY:-ghcr.io/cdpcredentials}
repository_url=https://github.com/cdpcredentials/cdp-credential-operator
repository=$registry/cdp-credential-operator
chart_repository=$registry/charts/cdp-credential-operator
chart_file=cdp-credential-operator-${version#v}.tgz
digests=image-digests.txt
# digest index|OS/ARCH
digest() { sed -n "s|^\\(sha256:[0-9a-f]*\\) $1\$|\\1|p" "$dist/$digests"; }

crane() { go tool -modfile="$PWD/hack/release/go.mod" crane "$@"; }
helm() { go tool -modfile="$PWD/hack/tools/helm/go.mod" helm "$@"; }
# A registry on loopback, as the tests start one, has no TLS.
helm_http='' cosign_http=''
case $registry in 127.0.0.1:* | localhost:*) helm_http=--plain-http cosign_http=--allow-http-registry ;; esac

# Runs a command whose output matters only if it fails.
quietly() {
  local out
  out=$("$@" 2>&1) || {
    printf '%s\n' "$out" >&2
    return 1
  }
}
