#!/usr/bin/env bash
# Runs every fuzz test for the given time, one after the other, because go test can run only one at a time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n1 dirname | sort -u | while read -r package; do
  grep -hoE '^func Fuzz\w+' "$package"/*_test.go | cut -d' ' -f2 | while read -r name; do
    go test -run '^$' -fuzz "^$name\$" -fuzztime "$1" "$package" </dev/null
  done
done
