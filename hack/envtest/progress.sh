# Sourced by scripts that build for minutes: builds, and reports progress on standard error, under the name $who.
# shellcheck shell=bash

say() { printf '%s: %s\n' "$who" "$*" >&2; }

# Reads a line per compiled package, and shows their count: on one line in a terminal, otherwise as a line every half minute.
progress() {
  local what=$1 start=$SECONDS last=-30 count=0
  while read -r _; do
    count=$((count + 1))
    if [ -t 2 ]; then
      printf '\r%s: building %s: %d packages, %ds ' "$who" "$what" "$count" $((SECONDS - start)) >&2
    elif [ $((SECONDS - last)) -ge 30 ]; then
      last=$SECONDS
      say "building $what: $count packages so far, $((SECONDS - start))s"
    fi
  done
  if [ -t 2 ]; then printf '\n' >&2; fi
}

# go_build NAME LOG ARGUMENT...: runs `go build` with the arguments and reports progress. A build that fails ends the script with the log's last lines.
go_build() {
  local name=$1 log=$2
  shift 2
  CGO_ENABLED=0 go build -v -trimpath "$@" 2>&1 | tee "$log" | progress "$name" || {
    tail -20 "$log" >&2
    say "the build of $name failed; its last lines are above"
    exit 1
  }
}
