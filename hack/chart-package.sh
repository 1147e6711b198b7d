#!/usr/bin/env bash
# Packs the Helm chart for a version of the operator and its image: hack/chart-package.sh v1.2.3 registry.example.com/operator:v1.2.3 dist
# A version that is not a semantic version (a commit, dev) makes the chart 0.0.0-VERSION, which Helm considers older than any release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=$1 image=$2 dist=${3:-dist}
chart=bin/chart/cdp-credential-operator
rm -rf bin/chart "$dist"/cdp-credential-operator-*.tgz
mkdir -p bin/chart "$dist"
cp -R charts/cdp-credential-operator bin/chart/

repository=$image tag='' digest=''
case $repository in *@sha256:*) digest=${repository#*@} repository=${repository%@*} ;; esac
case ${repository##*/} in *:*) tag=${repository##*:} repository=${repository%:*} ;; esac
sed -e "s|^  repository: .*|  repository: $repository|" -e "s|^  tag: \"\"\$|  tag: \"$tag\"|" \
  -e "s|^  digest: \"\"\$|  digest: \"$digest\"|" charts/cdp-credential-operator/values.yaml > "$chart/values.yaml"

if [[ $version =~ ^v?([0-9]+\.[0-9]+\.[0-9]+.*)$ ]]; then
  chart_version=${BASH_REMATCH[1]}
else
  chart_version=0.0.0-${version//[^0-9A-Za-z.-]/-}
  # Numbers in a semantic version must not begin with 0.
  if [[ $version =~ ^0[0-9]*$ ]]; then chart_version=0.0.0-g$version; fi
fi
go tool -modfile=hack/tools/helm/go.mod helm package "$chart" --destination "$dist" --version "$chart_version" --app-version "$version"
