#!/bin/bash
# Programs that contain the parts of the static library which their model's header names give the
# same bits as those that contain all of it, and are as small as is said.
#
# usage: lean_test.sh MOST_BYTES LEAN WHOLE...    programs; MOST_BYTES: of each lean one, stripped

set -u -o pipefail

most=$1 status=0
shift
fail() { printf 'lean_test: %s\n' "$1" >&2; status=1; }

while (($# > 1)); do
  lean=$1 whole=$2
  shift 2
  expected=$("$whole") || fail "$whole fails"
  [[ $expected == *function* ]] || fail "$whole prints no function"
  found=$("$lean") || fail "$lean fails"
  [[ $found == "$expected" ]] || fail "$lean and $whole differ:
$(diff <(printf '%s\n' "$expected") <(printf '%s\n' "$found") | cut -c 1-200 | head -n 20)"
  strip -o "$TEST_TMPDIR/stripped" -- "$lean" && strip -o "$TEST_TMPDIR/all" -- "$whole" ||
    fail "strip fails"
  size=$(stat -c %s -- "$TEST_TMPDIR/stripped")
  echo "$lean: $size bytes stripped, of $(stat -c %s -- "$TEST_TMPDIR/all")"
  # A sanitizer's code is larger.
  if ! readelf -sW -- "$lean" | grep -q __asan_init && ((size > most)); then
    fail "$lean has $size bytes stripped: at most $most"
  fi
done
exit $status
