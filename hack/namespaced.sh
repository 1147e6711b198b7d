#!/usr/bin/env bash
# Writes a variant of config/namespaced for the given namespaces to bin/deploy-namespaced: hack/namespaced.sh team-a,team-b
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

namespaces=$1
folder=bin/deploy-namespaced
rm -rf "$folder"
{
  printf 'resources:\n- ../../config/namespaced/operator\n'
  for namespace in ${namespaces//,/ }; do
    mkdir -p "$folder/$namespace"
    printf 'namespace: %s\nresources: [../../../config/namespaced/watched]\n' "$namespace" > "$folder/$namespace/kustomization.yaml"
    printf -- '- %s\n' "$namespace"
  done
  cat << PATCH
patches:
- target: {kind: Deployment, name: cdp-credential-operator-controller-manager}
  patch: |
    - op: add
      path: /spec/template/spec/containers/0/args/-
      value: --watch-namespaces=$namespaces
PATCH
} > "$folder.yaml"
mv "$folder.yaml" "$folder/kustomization.yaml"
