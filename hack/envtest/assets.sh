#!/usr/bin/env bash
# Prints the folder with etcd, kube-apiserver and kubectl, after fetching or building them if necessary:
#   1. KUBEBUILDER_ASSETS, if it is set;
#   2. what an earlier run left in the cache folder;
#   3. setup-envtest's download: seconds, if its host can be reached;
#   4. a build from Go modules: minutes, once.
# Only the folder goes to standard output; progress goes to standard error.
#
# With an argument such as 1.31 it does the same for the older Kubernetes of hack/envtest/1.31, whatever KUBEBUILDER_ASSETS is. Only its
# kube-apiserver is built: etcd and kubectl are the newest ones, because both work with older API servers.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
who=envtest
# shellcheck source=progress.sh
. "$here/progress.sh"

complete() { [ -x "$1/etcd" ] && [ -x "$1/kube-apiserver" ] && [ -x "$1/kubectl" ]; }

older=${1:-}
module=$here/$older
[ -f "$module/go.mod" ] || {
  say "there is no $module/go.mod; the versions are: $(cd "$here" && echo [0-9]*)"
  exit 1
}
if [ -z "$older" ] && [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  complete "$KUBEBUILDER_ASSETS" || {
    say "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS lacks etcd, kube-apiserver or kubectl; unset it to have them fetched"
    exit 1
  }
  echo "$KUBEBUILDER_ASSETS"
  exit 0
fi

version=$(cd "$module" && go list -m -f '{{.Version}}' k8s.io/kubernetes)
version=${version#v}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cdp-credential-operator
bin=$cache/envtest-$version-$(go env GOOS)-$(go env GOARCH)
if complete "$bin"; then
  echo "$bin"
  exit 0
fi

mkdir -p "$cache"
# Two concurrent runs must not build the same thing twice. macOS has no flock: there the second run just repeats the work.
# Descriptor 9 is closed for every child, because one that outlives us (the go command's telemetry) would keep the lock.
exec 9>"$cache/lock${older:+-$older}"
if command -v flock >/dev/null && ! flock -n 9; then
  say "another run is fetching or building; waiting for it"
  flock 9
fi
if complete "$bin"; then
  echo "$bin"
  exit 0
fi

# GNU timeout is missing on macOS; there setup-envtest's own timeouts must do.
within() { if command -v timeout >/dev/null; then timeout --foreground "$@"; else shift && "$@"; fi; }

# A stalled download is abandoned; with an unreachable host even the listing fails, at once.
download() {
  local minor=${version%.*} setup="$cache/setup-envtest" listed found
  (cd "$here/../tools" && GOBIN="$cache" go install sigs.k8s.io/controller-runtime/tools/setup-envtest) >&2 9>&- || return 1
  listed=$(within 15 "$setup" list --bin-dir "$cache/downloads" "$minor.x" 2>/dev/null 9>&-) || return 1
  case $listed in *"v$minor."*) ;; *) return 1 ;; esac
  say "downloading etcd, kube-apiserver and kubectl $minor (setup-envtest)"
  found=$(within 300 "$setup" use --bin-dir "$cache/downloads" -p path "$minor.x" 9>&-) || return 1
  complete "$found" || return 1
  cp "$found"/* "$to" || return 1 # not moved: setup-envtest makes its folders read-only
  say "downloaded in ${SECONDS}s"
}

build() {
  local v=k8s.io/component-base/version minor=${version#*.}
  # Without these linker flags clients see version v0.0.0-master.
  local flags="-s -w -X $v.gitVersion=v$version -X $v.gitMajor=${version%%.*} -X $v.gitMinor=${minor%%.*} -X $v.gitTreeState=clean"
  local targets=(kube-apiserver=k8s.io/kubernetes/cmd/kube-apiserver etcd=go.etcd.io/etcd/server/v3 kubectl=k8s.io/kubernetes/cmd/kubectl)
  if [ -n "$older" ]; then
    local newest
    newest=$("$here/assets.sh" 9>&-)
    cp "$newest/etcd" "$newest/kubectl" "$to"
    targets=("${targets[0]}")
  fi
  say "building ${targets[*]%%=*} $version from Go modules: 5 to 10 minutes on two cores, once"
  # Forty minutes are four times what it takes: a proxy that hangs must not stop CI for ever.
  local target name start
  for target in "${targets[@]}"; do
    name=${target%%=*} start=$SECONDS
    (cd "$module" && CGO_ENABLED=0 within 2400 go build -v -trimpath -ldflags "$flags" -o "$to/$name" "${target#*=}") 2>&1 9>&- | tee "$log" | progress "$name" || {
      tail -20 "$log" >&2
      say "the build of $name failed; its last lines are above"
      exit 1
    }
    say "built $name in $((SECONDS - start))s"
  done
}

# Everything is collected in a temporary folder and then renamed, so that an interrupted run leaves nothing incomplete.
to=$(mktemp -d "$cache/envtest.XXXXXX")
log=$to.log
trap 'rm -rf "$to" "$log"' EXIT
# ENVTEST_BUILD=1 skips the download.
{ [ "${ENVTEST_BUILD:-}" != 1 ] && download; } || build
complete "$to" || { say "etcd, kube-apiserver or kubectl is missing from $to"; exit 1; }
chmod 755 "$to"
rm -rf "$bin"
mv "$to" "$bin"
say "kept in $bin"
echo "$bin"
