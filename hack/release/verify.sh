#!/usr/bin/env bash
# Verifies a release as its users would: hack/release/verify.sh v1.2.3
#   COSIGN_PUB  public key. Without one, the signatures must be those of the release workflow, at the version's tag.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=names.sh
. hack/release/names.sh "${1:-}"

cosign=$(hack/cosign.sh)
if [ -n "${COSIGN_PUB:-}" ]; then
  by=(--key "$COSIGN_PUB" --insecure-ignore-tlog=true)
else
  by=(--certificate-identity "$repository_url/.github/workflows/release.yaml@refs/tags/$version"
    --certificate-oidc-issuer https://token.actions.githubusercontent.com)
fi
# check WHAT COSIGN-ARGUMENT... leaves what cosign says in $said
check() {
  local what=$1
  shift
  said=$("$cosign" "$@" "${by[@]}" 2>&1) || {
    printf '%s\n' "$said" >&2
    echo "release: NOT verified: $what" >&2
    exit 1
  }
  echo "release: verified: $what"
}

image=$repository@$(digest index)
chart=$chart_repository@$(crane digest "$chart_repository:${version#v}")
[ "$(crane digest "$repository:$version")" = "$(digest index)" ] || {
  echo "release: the tag $repository:$version is not the image of $dist" >&2
  exit 1
}
for subject in "$image" "$repository@$(digest linux/amd64)" "$repository@$(digest linux/arm64)" "$chart"; do
  # shellcheck disable=SC2086 # $cosign_http is a flag or nothing
  check "signature of $subject" verify $cosign_http "$subject"
done
for subject in "$image" "$chart"; do
  # shellcheck disable=SC2086
  check "provenance of $subject" verify-attestation $cosign_http --type slsaprovenance1 "$subject"
  statement=$(sed -n 's/.*"payload":"\([^"]*\)".*/\1/p' <<<"$said" | base64 -d)
  echo "release: built from commit $(sed -n 's/.*"gitCommit": *"\([0-9a-f]*\)".*/\1/p' <<<"$statement")"
done
for arch in amd64 arm64; do
  subject=$repository@$(digest "linux/$arch")
  # shellcheck disable=SC2086
  check "SBOM (CycloneDX) of linux/$arch" verify-attestation $cosign_http --type cyclonedx "$subject"
  # shellcheck disable=SC2086
  check "SBOM (SPDX) of linux/$arch" verify-attestation $cosign_http --type spdxjson "$subject"
done
check "signature of SHA256SUMS" verify-blob --bundle "$dist/SHA256SUMS.sigstore.json" "$dist/SHA256SUMS"
for name in SHA256SUMS "$chart_file" install.yaml; do
  check "provenance of $name" verify-blob-attestation --type slsaprovenance1 --bundle "$dist/provenance.sigstore.json" "$dist/$name"
done
(cd "$dist" && if command -v sha256sum >/dev/null; then sha256sum --quiet -c SHA256SUMS; else shasum -q -a 256 -c SHA256SUMS; fi)
echo "release: verified: $(wc -l <"$dist/SHA256SUMS") checksums"
