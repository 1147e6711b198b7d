#!/usr/bin/env bash
# What `make e2e` does: builds images, installation file and test, and runs the test
#   - against the cluster of E2E_KUBECONFIG, if that is set, whose nodes get the images by `$E2E_LOAD FILE` (kind load image-archive);
#   - else against a cluster of its own, which takes Linux, root, and minutes to build once.
# Everything that is made is below bin/e2e. Arguments are the test's: `-test.run TestRefreshedPods`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=$PWD/bin/e2e
say() { printf 'e2e: %s\n' "$*" >&2; }
mkdir -p "$out"

if [ -z "${E2E_KUBECONFIG:-}" ]; then
  go build -o "$out/cluster" ./test/e2e/cluster
  packages=()
  command -v ip >/dev/null || packages+=(iproute2)
  command -v nft >/dev/null || packages+=(nftables)
  command -v gcc >/dev/null || packages+=(gcc libc6-dev)
  command -v pkg-config >/dev/null || packages+=(pkg-config)
  pkg-config --exists libseccomp 2>/dev/null || packages+=(libseccomp-dev)
  # The programs of examples/ run with what the node has below /usr: this machine's.
  for program in python3 node curl; do
    [ -x /usr/bin/$program ] || [ -x /usr/local/bin/$program ] || packages+=("${program/%node/nodejs}")
  done
  export E2E_NODE_IS_HERE=true
  if [ ${#packages[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing ${packages[*]} with apt-get"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
  elif [ ${#packages[@]} -gt 0 ]; then
    say "Debian's packages ${packages[*]}, or the like of them, are missing"
  fi
  "$out/cluster" -check
  path=$(test/e2e/cluster/assets.sh)
fi

say "building images, installation file and test"
img=cdp-credential-operator:e2e pods=cdp-credential-operator-e2e-pods:e2e example=cdp-credential-operator-e2e-example:e2e
GOOS=linux make -s --no-print-directory build BINARY="$out/manager"
for program in pause pods; do
  CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags "-s -w" -o "$out/$program" "./test/e2e/$program"
done
CGO_ENABLED=0 GOOS=linux go build -trimpath -o "$out/example" ./examples/go
go run ./test/e2e/image -tag "$img" -binary "$out/manager" -dockerfile Dockerfile -o "$out/manager.tar"
go run ./test/e2e/image -tag "$pods" -binary "$out/pods" -o "$out/pods.tar"
go run ./test/e2e/image -tag "$example" -binary "$out/example" -o "$out/example.tar"
go run ./test/e2e/image -tag cdp-credential-operator-pause:e2e -binary "$out/pause" -o "$out/pause.tar"
make -s --no-print-directory build-installer IMG="$img" INSTALLER="$out/install.yaml"
# The same with config/pod-refresh, for the test of refreshPods.
rm -rf "$out/config" && cp -r config "$out/config"
sed -i 's/^# components:$/components:/; s/^# - ..\/pod-refresh$/- ..\/pod-refresh/' "$out/config/default/kustomization.yaml"
kustomize() { go tool -modfile="$PWD/hack/tools/go.mod" kustomize "$@"; }
kustomize build "$out/config/default" | sed "s|image: controller:latest|image: $img|" >"$out/install-pods.yaml"
go test -c -o "$out/e2e.test" ./test/e2e

export E2E_INSTALLER=$out/install.yaml E2E_PODS_IMAGE=$pods E2E_LOGS=$out/logs
export E2E_EXAMPLE_IMAGE=$example E2E_EXAMPLES=$PWD/examples
export E2E_PODS_INSTALLER=$out/install-pods.yaml E2E_PODS_LENGTH=${E2E_PODS_LENGTH:-115s}
# Two releases for TestRelease, in a registry on the node's loopback. `make e2e` asks for them; they take half a minute.
if [ "${E2E_RELEASE:-}" = 1 ] && [ -z "${E2E_KUBECONFIG:-}" ]; then
  export E2E_RELEASES=$out/releases E2E_REGISTRY=127.0.0.1:5033
  test/release/build.sh "$E2E_RELEASES" "$E2E_REGISTRY/cdpcredentials"
fi
rm -rf "$E2E_LOGS"
mkdir -p "$E2E_LOGS"
test=("$out/e2e.test" -test.v -test.timeout 45m "$@")
if [ -n "${E2E_KUBECONFIG:-}" ]; then
  # A kubelet with default settings takes a minute or more to show a changed Secret: a lifetime of six minutes leaves it 2m30s.
  export E2E_LIFETIME=${E2E_LIFETIME:-6m}
  # shellcheck disable=SC2086 # it is a command and its arguments
  if [ -n "${E2E_LOAD:-}" ]; then for image in manager pods example; do $E2E_LOAD "$out/$image.tar"; done; fi
  exec "${test[@]}"
fi
export E2E_LIFETIME=${E2E_LIFETIME:-90s}
PATH=$path:$PATH exec "$out/cluster" -sync "${E2E_SYNC:-10s}" -pause "$out/pause.tar" -load "$out/manager.tar" -load "$out/pods.tar" \
  -load "$out/example.tar" -logs "$E2E_LOGS" "${test[@]}"
