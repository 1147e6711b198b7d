#!/usr/bin/env bash
# Fails if something generated or formatted is stale. It changes nothing: files are generated into a scratch folder and compared, so
# that it can run with uncommitted changes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
stale=0
bad() {
  printf 'verify: %s\n' "$*" >&2
  stale=1
}

make --no-print-directory generate manifests api-docs chart OUT="$out"
while read -r file; do
  diff -u "$file" "$out/$file" || bad "$file is stale: run make generate manifests api-docs chart"
done < <(cd "$out" && find . -type f | sort)

while read -r mod; do
  (cd "$(dirname "$mod")" && go mod tidy -diff) || bad "$mod is not tidy: run go mod tidy in its folder"
done < <(find . -name go.mod -not -path './bin/*' -not -path './dist/*' | sort)

# The go command ignores folders that start with _ or ., and so do we.
unformatted=$(find . -name '*.go' -not -path './.*' -not -path './bin/*' -print0 | xargs -0 gofmt -l)
[ -z "$unformatted" ] || bad "run make fmt: $unformatted"

unlicensed=$(hack/license.sh -check) || bad "run make license: $unlicensed"

# No cycle between the files of a package has more than three files.
cycles=$(go run ./hack/filecycles ./controllers ./internal/...) || bad "files in a cycle: move what they share into a file below them: $cycles"

while read -r kustomization; do
  go tool -modfile=hack/tools/go.mod kustomize build "$(dirname "$kustomization")" >/dev/null || bad "$kustomization does not build"
done < <(find config gitops/example -name kustomization.yaml | sort)

# docs/security.md names a test for each claim.
while read -r test; do
  grep -rqs --include='*_test.go' "^func $test(" . || bad "docs/security.md names $test, which is no test"
done < <(grep -o '`Test[A-Za-z0-9]*`' docs/security.md | tr -d '`' | sort -u)

if [ $stale = 0 ]; then echo "verify: everything is up to date"; fi
exit $stale
