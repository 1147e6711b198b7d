#!/usr/bin/env bash
# Adds the line of hack/boilerplate.go.txt to every Go file that lacks it; with -check it only lists such files, and fails if there are any.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

read -r header <hack/boilerplate.go.txt
# controller-gen writes its build constraint above the header.
mapfile -t lacking < <(find . -name '*.go' -not -name 'zz_generated.*' -not -path './.*' -not -path './bin/*' -not -path './dist/*' -print0 |
  xargs -0 awk -v header="$header" 'FNR == 1 && $0 != header {print FILENAME}' | sort)
[ ${#lacking[@]} -gt 0 ] || exit 0
if [ "${1:-}" = -check ]; then
  printf '%s\n' "${lacking[@]}"
  exit 1
fi
for file in "${lacking[@]}"; do
  printf '%s\n\n%s\n' "$header" "$(<"$file")" >"$file.new"
  cat "$file.new" >"$file" # keeps the file's mode
  rm "$file.new"
done
echo "license: headers added to ${#lacking[@]} files"
