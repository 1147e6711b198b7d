#!/usr/bin/env bash
# Simulates many worlds (test/simulation) in batches, which shows the progress and allows to resume after an interruption:
#   hack/simulate.sh [SEEDS [FIRST [AT_A_TIME]]]
# At the end it prints in how many worlds each assumption was flipped. GOMAXPROCS is the number of worlds at a time. The exit status is 1 if any
# promise was broken; the seed and the command that repeats it are printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seeds=${1:-100000} first=${2:-1} some=${3:-5000}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
go test -c -o "$folder/simulation.test" ./test/simulation
echo "simulate: $seeds seeds from $first on, commit $(git describe --always --dirty 2>/dev/null || echo unknown), $(go env GOVERSION)"

end=$((first + seeds)) broken=0
for ((from = first; from < end; from += some)); do
  count=$((from + some <= end ? some : end - from))
  echo "simulate: seeds $from to $((from + count - 1)), $(date -u +%FT%TZ)"
  (cd test/simulation && "$folder/simulation.test" -test.run '^TestSeeds$' -test.timeout 0 -test.v -simulation.first "$from" -simulation.seeds "$count") | tee -a "$folder/log" || broken=1
done
echo "simulate: assumptions flipped, of all worlds:"
awk '$3 == "%" && NF == 4 {n[$4] += $1} END {for (name in n) printf "%8d %s\n", n[name], name}' "$folder/log" | sort -k 2
[ "$broken" -eq 0 ] && echo "simulate: $seeds seeds, no violation" || { echo "simulate: a promise was broken, see above" >&2; exit 1; }
