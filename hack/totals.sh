#!/usr/bin/env bash
# Compares the totals of two logs of hack/simulate.sh, of the same seeds before and after a change that must not change behaviour:
#   hack/totals.sh BEFORE AFTER [PERCENT]
# The exit status is 1 if a total differs by more than PERCENT (1), or if the numbers of seeds differ.
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: hack/totals.sh BEFORE AFTER [PERCENT]" >&2
  exit 2
fi
awk -v most="${3:-1}" '
  FNR == 1 { file++ }
  / totals: seeds / {
    sub(/.* totals: /, "")
    n = split($0, parts, /, /)
    for (i = 1; i <= n; i++) {
      split(parts[i], part, " ")
      if (!(part[1] in known)) { known[part[1]] = 1; order[++count] = part[1] }
      sum[file, part[1]] += part[2]
    }
  }
  END {
    if (!sum[1, "seeds"] || sum[1, "seeds"] != sum[2, "seeds"]) {
      printf "not comparable: %d seeds before, %d after\n", sum[1, "seeds"], sum[2, "seeds"]
      exit 1
    }
    for (i = 1; i <= count; i++) {
      name = order[i]; a = sum[1, name]; b = sum[2, name]
      percent = a ? 100 * (b - a) / a : (b ? 100 : 0)
      wrong = percent > most || percent < -most
      failed = failed || wrong
      printf "%-10s %12d %12d %+8.2f %%%s\n", name, a, b, percent, wrong ? "  too much" : ""
    }
    exit failed
  }' "$1" "$2"
