#!/usr/bin/env bash
# Builds the documentation's site (build), checks it in a browser (test), or records the demo (record), with the npm packages of site/, which are
# installed first. Where npm or Chromium is missing, the check is skipped, but not in CI.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../site"

missing() {
  echo "site: $1 is missing: $2" >&2
  [ "$action" = test ] && [ "${CI:-}" != true ] && echo "site: skipped" >&2 && exit 0
  exit 1
}

action=$1
command -v npm >/dev/null || missing npm 'install Node 20 or newer'
if [ "$action" = test ]; then
  command -v chromium chromium-browser google-chrome >/dev/null || missing Chromium 'install the package chromium'
fi

# npm writes this file last.
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
  npm ci --ignore-scripts
fi

case $action in
build) node_modules/.bin/vitepress build ;;
test) node_modules/.bin/vitepress build && node check.mjs ;;
record) node record.mjs ;;
esac
