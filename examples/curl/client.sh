#!/bin/sh
# Call an API with the headers that cdp-credential-operator keeps fresh.
set -eu
dir=${HEADERS_DIR:-/var/run/cdp} # one file for each header

# The files are read anew for each call: the kubelet replaces them when the token is renewed. The headers reach curl by its standard input, so
# that the token is in no list of processes.
get() {
  for file in "$dir"/*; do
    printf '%s: %s\n' "${file##*/}" "$(cat "$file")"
  done | curl --silent --show-error --output /dev/null --write-out '%{http_code}' --header @- "$1"
}

while :; do
  code=$(get "$API_URL")
  if [ "$code" = 401 ]; then # the token may have been replaced in between
    sleep 1
    code=$(get "$API_URL")
  fi
  echo "$code"
  sleep "${INTERVAL:-10}"
done
