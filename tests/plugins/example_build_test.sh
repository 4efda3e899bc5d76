#!/bin/bash
# Follows docs/writing_a_backend.md word for word in an empty folder: runs every block of shell
# commands of its section "Build the example", and checks what comes out.
#
# usage: example_build_test.sh, with the repository's files in the current folder.

set -eu -o pipefail

export SEQGRAPH=$PWD
page=$SEQGRAPH/docs/writing_a_backend.md
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

fail() {
  printf 'example_build_test: %s\n' "$*" >&2
  exit 1
}

# Block number $1 of shell commands on the page.
block() {
  awk -v wanted="$1" '
    /^```sh$/ { ++n; inside = 1; next }
    /^```$/ { inside = 0 }
    inside && n == wanted' "$page"
}

for command in make cmake nm g++; do
  command -v "$command" > /dev/null || fail "needs $command"
done
[[ $(block 4) == nm* && -z $(block 5) ]] || fail "$page has other blocks than this test knows"

cd "$folder"
source /dev/stdin <<< "$(block 1)"
[[ $(ls | wc -l) == 6 ]] || fail "expected six files, found: $(ls)"
export CXXFLAGS="-O2 -Wall -Wextra -Werror"
source /dev/stdin <<< "$(block 2)"
symbols=$(source /dev/stdin <<< "$(block 4)")
[[ $symbols =~ ^[0-9a-f]+\ T\ seqgraph_backend_entry$ ]] || fail "make: symbols are: $symbols"

source /dev/stdin <<< "$(block 3)"
cd build
symbols=$(source /dev/stdin <<< "$(block 4)")
[[ $symbols =~ ^[0-9a-f]+\ T\ seqgraph_backend_entry$ ]] || fail "cmake: symbols are: $symbols"

for library in "$folder/libexample.so" "$folder/build/libexample.so"; do
  EXAMPLE_PLUGIN=$library "$SEQGRAPH/tests/plugins/example_plugin_test"
done
