#!/bin/bash
# Every plugin exports one symbol, its entry.
#
# usage: exports_test.sh LIBRARY...

set -u -o pipefail

(($# > 0)) || { echo "exports_test: no libraries given" >&2; exit 1; }
status=0
for library in "$@"; do
  symbols=$(nm -D --defined-only -- "$library") || status=1
  if [[ ! $symbols =~ ^[0-9a-f]+\ T\ seqgraph_backend_entry$ ]]; then
    printf 'exports_test: %s must export seqgraph_backend_entry only, exports:\n%s\n' \
      "$library" "$symbols" >&2
    status=1
  fi
done
exit $status
