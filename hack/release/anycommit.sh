# shellcheck shell=bash
# Sourced by tests of a release: they also run with uncommitted changes, and where git knows no commit.
export RELEASE_DIRTY=1 RELEASE_COMMIT SOURCE_DATE_EPOCH
RELEASE_COMMIT=$(git rev-parse HEAD 2>/dev/null) || RELEASE_COMMIT=0000000000000000000000000000000000000000
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) || SOURCE_DATE_EPOCH=315532800 # 1980, where the times of zip files begin
