#!/usr/bin/env bash
# Makes a release of the commit that is checked out: hack/release/build.sh v1.2.3
#   DIST      folder to write to (dist); it is emptied first
#   REGISTRY  where the image and the chart will be published (ghcr.io/cdpcredentials)
#   PLUGIN_PLATFORMS  OS/ARCH of the kubectl plugin's archives (all of the release's)
#   RELEASE_DIRTY=1   allow uncommitted changes, for experiments
#   RELEASE_COMMIT, SOURCE_DATE_EPOCH  the commit and its time in seconds, where git cannot tell
# Nothing is pulled, pushed or signed. The same commit and VERSION give the same files, whatever the machine: `make verify-reproducible`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=names.sh
. hack/release/names.sh "${1:-}"

[ "${RELEASE_DIRTY:-}" = 1 ] || [ -z "$(git status --porcelain)" ] || {
  echo "release: there are uncommitted changes; commit them, because a release is made from one commit" >&2
  exit 1
}
commit=${RELEASE_COMMIT:-$(git rev-parse HEAD)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
unset GOAMD64 GOARM64 GOEXPERIMENT # the binaries are the same, whoever builds them
umask 022

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
rm -rf "$dist"
mkdir -p "$dist"
say() { printf 'release: %s\n' "$*" >&2; }
run() { make -s --no-print-directory VERSION="$version" DIST="$dist" "$@"; }
# compile OS/ARCH MAKE-ARGUMENT...
compile() {
  local platform=$1
  shift
  GOOS=${platform%/*} GOARCH=${platform#*/} run "$@"
}
(cd hack/release && go build -o "$scratch/release" .)
release() { "$scratch/release" "$@"; }
# sbom BINARY NAME.cdx.json
sbom() {
  go tool -modfile=hack/tools/sbom/go.mod cyclonedx-gomod bin -json -noserial -std -version "$version" -output "$2" "$1" 2>/dev/null
  release sbom "$2"
}

say "image"
# linux/ARCH has the names in the image, dist/ those on the release's page.
for arch in amd64 arm64; do
  mkdir -p "$scratch/linux/$arch"
  compile "linux/$arch" build BINARY="$scratch/linux/$arch/manager"
  compile "linux/$arch" build-cli CLI="$scratch/linux/$arch/kubectl-cdpcred"
  cp "$scratch/linux/$arch/manager" "$dist/manager-linux-$arch"
done
release image -version "$version" -revision "$commit" -o "$dist/image" \
  "linux/amd64=$scratch/linux/amd64" "linux/arm64=$scratch/linux/arm64" >"$dist/$digests"
image=$repository:$version@$(digest index)

say "manifests and chart"
run build-installer build-installer-namespaced build-crd chart-package IMG="$image"
release repack "$dist/$chart_file"

say "kubectl plugin"
archives=()
for platform in ${PLUGIN_PLATFORMS:-linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64}; do
  goos=${platform%/*} goarch=${platform#*/} binary=kubectl-cdpcred form=tar.gz
  if [ "$goos" = windows ]; then binary+=.exe form=zip; fi
  name=kubectl-cdpcred-$version-$goos-$goarch
  mkdir -p "$scratch/$platform"
  [ -e "$scratch/$platform/$binary" ] || compile "$platform" build-cli CLI="$scratch/$platform/$binary"
  release archive "$platform" "$scratch/$platform/$binary" LICENSE "$dist/$name.$form"
  sbom "$scratch/$platform/$binary" "$dist/$name.cdx.json"
  archives+=("$dist/$name.$form")
done
release krew -version "$version" -o "$dist/cdpcred.yaml" "${archives[@]}"

say "SBOMs, notes and checksums"
for arch in amd64 arm64; do
  sbom "$dist/manager-linux-$arch" "$dist/manager-linux-$arch.cdx.json"
  sbom "$scratch/linux/$arch/kubectl-cdpcred" "$scratch/kubectl-cdpcred-$arch.cdx.json"
  release image-sbom -image "$repository" -version "$version" -digest "$(digest "linux/$arch")" -platform "linux/$arch" \
    -o "$dist/image-linux-$arch.cdx.json" "$dist/manager-linux-$arch.cdx.json" "$scratch/kubectl-cdpcred-$arch.cdx.json"
done
release notes -version "$version" -image "$image" -chart "oci://$chart_repository" CHANGELOG.md >"$dist/release-notes.md"
release sums "$dist"
# Provenance names the builder, so it is not reproducible and not among the checksums.
release provenance -version "$version" -revision "$commit" -go "$(go env GOVERSION)" \
  -builder "${BUILDER:-$repository_url/blob/$version/CONTRIBUTING.md#releasing}" -invocation "${INVOCATION:-}" \
  -sums "$dist/SHA256SUMS" -predicate "$dist/provenance.json" -statement "$dist/provenance.intoto.json"
say "$dist: $(find "$dist" -type f | wc -l) files, $(du -sh "$dist" | cut -f 1); image $image"
