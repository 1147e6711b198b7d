#!/usr/bin/env bash
# Signs what publish.sh pushed, and the files of build.sh: hack/release/sign.sh v1.2.3
#   COSIGN_KEY  private key (its password: COSIGN_PASSWORD). Without one, cosign signs keyless, as the workflow whose token it finds: the
#               certificate and Sigstore's public log then say which workflow, of which tag, signed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=names.sh
. hack/release/names.sh "${1:-}"

cosign=$(hack/cosign.sh)
with=(--yes)
# A key of one's own needs none of Sigstore's services.
if [ -n "${COSIGN_KEY:-}" ]; then with+=(--key "$COSIGN_KEY" --tlog-upload=false --use-signing-config=false); fi
cosign() { quietly "$cosign" "$@" "${with[@]}"; }
# shellcheck disable=SC2086 # $cosign_http is a flag or nothing
attest() { cosign attest $cosign_http --type "$1" --predicate "$dist/$2" "$3"; }

image=$repository@$(digest index)
chart=$chart_repository@$(crane digest "$chart_repository:${version#v}")
# --recursive: the image of each platform, too, for those who pin that.
# shellcheck disable=SC2086
cosign sign $cosign_http --recursive "$image"
# shellcheck disable=SC2086
cosign sign $cosign_http "$chart"
for subject in "$image" "$chart"; do attest slsaprovenance1 provenance.json "$subject"; done
for arch in amd64 arm64; do
  subject=$repository@$(digest "linux/$arch")
  attest cyclonedx "image-linux-$arch.cdx.json" "$subject"
  attest spdxjson "image-linux-$arch.spdx.json" "$subject"
done
cosign sign-blob --bundle "$dist/SHA256SUMS.sigstore.json" "$dist/SHA256SUMS"
cosign attest-blob --statement "$dist/provenance.intoto.json" --bundle "$dist/provenance.sigstore.json"
echo "release: signed $image, $chart and the checksums" >&2
