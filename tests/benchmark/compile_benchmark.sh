#!/bin/bash
# What a program that includes seqgraph.h takes to compile: processor time of g++ -O2, without a
# precompiled header, the least of three runs. The bar is 3 s.
#
#   bazel run //tests/benchmark:compile_benchmark [-- FILE.cc...]

set -u -o pipefail
cd "${BUILD_WORKSPACE_DIRECTORY:-$(dirname -- "${BASH_SOURCE[0]}")/../..}" || exit 1
(($# > 0)) || set -- examples/*.cc
TIMEFORMAT='%U %S'
grep -m 1 'model name' /proc/cpuinfo
for file in "$@"; do
  for run in 1 2 3; do
    seconds=$({ time g++ -std=c++20 -O2 -fPIC -I. -c "$file" -o /dev/null 2>&3; } 3>&2 2>&1) || exit
    echo "$seconds"
  done | awk -v file="$file" '{ t = $1 + $2; if (NR == 1 || t < least) least = t }
    END { if (NR == 3) printf "%-24s %.2f s\n", file, least }' || exit
done
