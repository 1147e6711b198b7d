#!/usr/bin/env bash
# Prints a list of folders, in the form of PATH, with all programs of a cluster of one node, after building missing ones from Go modules:
# minutes, once. Progress goes to standard error. Needs a C compiler, pkg-config and libseccomp's headers for runc.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
envtest=$here/../../../hack/envtest
who=e2e
# shellcheck source=../../../hack/envtest/progress.sh
. "$envtest/progress.sh"

kubernetes=(kube-controller-manager kube-scheduler kubelet kube-proxy)
containers=(
  github.com/containerd/containerd/v2/cmd/containerd
  github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2
  github.com/containerd/containerd/v2/cmd/ctr
  github.com/containernetworking/plugins/plugins/ipam/host-local
  github.com/containernetworking/plugins/plugins/main/loopback
  github.com/containernetworking/plugins/plugins/main/ptp
)

control=$("$envtest/assets.sh") # etcd, kube-apiserver, kubectl; fills the Go build cache for the rest if it builds them

version=$(cd "$envtest" && go list -m -f '{{.Version}}' k8s.io/kubernetes)
version=${version#v}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/cdp-credential-operator
# Other versions of containerd, runc or the plugins get other folders; go.sum pins them all. A comment changes nothing.
pins=$(grep -hv '^ *#' "$here/node/go.mod" "$here/node/go.sum" "$here/assets.sh" | sha256sum | cut -c 1-16)
bin=$cache/node-$version-$pins-$(go env GOOS)-$(go env GOARCH)
if [ -d "$bin" ]; then
  echo "$control:$bin"
  exit 0
fi

mkdir -p "$cache"
# Two concurrent runs must not build the same thing twice. The descriptor is closed for every child: see hack/envtest/assets.sh.
exec 9>"$cache/node.lock"
flock -n 9 || {
  say "another run is building; waiting for it"
  flock 9
}
if [ -d "$bin" ]; then
  echo "$control:$bin"
  exit 0
fi

# Collected in a temporary folder and then renamed, so that an interrupted run leaves nothing incomplete.
to=$(mktemp -d "$cache/node.XXXXXX")
log=$to.log
trap 'rm -rf "$to" "$log"' EXIT

# build NAME FOLDER GO-BUILD-ARGUMENT...
build() {
  local name=$1 folder=$2 start=$SECONDS
  shift 2
  (cd "$folder" && go build -v -trimpath -o "$to/" "$@") 2>&1 9>&- | tee "$log" | progress "$name" || {
    tail -20 "$log" >&2
    say "the build of $name failed; its last lines are above"
    exit 1
  }
  say "built $name in $((SECONDS - start))s"
}

say "building a node's programs from Go modules, once"
# Without these linker flags clients see version v0.0.0-master.
minor=${version#*.} v=k8s.io/component-base/version
stamps="-X $v.gitVersion=v$version -X $v.gitMajor=${version%%.*} -X $v.gitMinor=${minor%%.*} -X $v.gitTreeState=clean"
CGO_ENABLED=0 build "${kubernetes[*]}" "$envtest" -ldflags "-s -w $stamps" "${kubernetes[@]/#/k8s.io/kubernetes/cmd/}"
CGO_ENABLED=0 build "containerd and CNI plugins" "$here/node" -ldflags "-s -w" "${containers[@]}"
CGO_ENABLED=1 build runc "$here/node" -tags seccomp -ldflags "-s -w" github.com/opencontainers/runc
chmod 755 "$to"
mv "$to" "$bin"
say "kept in $bin"
echo "$control:$bin"
