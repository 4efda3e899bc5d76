#!/bin/bash
# What programs that are linked against the library rely on: exactly the listed symbols, no library
# besides libc and libm, at most 3 MB; and in the static one no other names than these and its
# parts'.
#
# usage: library_test.sh LIBRARY SYMBOLS STATIC_LIBRARY

set -u -o pipefail

library=$1 symbols=$2 static=$3 status=0
fail() { printf 'library_test: %s\n' "$1" >&2; status=1; }

exported=$(nm -D --defined-only -- "$library" | sed -n 's/^[0-9a-f]* [TDBRVW] //p' | sed 's/@.*//' | sort) ||
  fail "nm does not read $library"
if ! changes=$(diff <(grep -v '^#' "$symbols" | sort) <(printf '%s\n' "$exported")); then
  fail "the exported symbols (>) are not those of symbols.txt (<). One that goes breaks programs: it
waits for the next major version; a new one is added to the list and to CHANGELOG.md.
$changes"
fi

needed=$(readelf -dW -- "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | tr '\n' ' ')
case $needed in
  "libc.so.6 libm.so.6 " | "ld-linux-x86-64.so.2 libc.so.6 libm.so.6 ") ;;
  *) fail "it needs '$needed': libc and libm are enough" ;;
esac
readelf -dW -- "$library" | grep -q 'SONAME.*libseqgraph_runtime\.so\.1\]' || fail "it has no SONAME"

stripped=$TEST_TMPDIR/stripped.so
strip -o "$stripped" -- "$library" || fail "strip fails"
size=$(stat -c %s -- "$stripped")
echo "$size bytes stripped"
# A sanitizer's code is larger.
if ! readelf -sW -- "$library" | grep -q __asan_init && ((size > 3000000)); then
  fail "it has $size bytes stripped: at most 3,000,000"
fi

# (GCC's "unique" names, u, cannot be made local: constants of templates, which clash with none.)
visible=$(nm -g --defined-only -- "$static" | sed -n 's/^[0-9a-f]* [TDBRVW] //p' |
  grep -v '^seqgraph_part_' | sort)
changes=$(diff <({ grep -v '^#' "$symbols"; echo seqgraph_parts_chosen; } | sort) \
  <(printf '%s\n' "$visible")) || fail "the names (>) of $static are not those of symbols.txt (<):
$changes"
exit $status
