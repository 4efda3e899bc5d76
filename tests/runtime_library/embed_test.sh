#!/bin/bash
# `seqgraph embed`: its headers compile with all warnings in C99 and C++20, and a program that has
# only them and the runtime library gives the numbers of the model.
#
# usage: embed_test.sh SEQGRAPH LIBRARY
set -eu
seqgraph=$(realpath "$1") library=$(realpath "$2")
root=$PWD models=$PWD/tests/runtime_library/models
cd "$TEST_TMPDIR"
fail() {
  echo "embed_test: $*" >&2
  exit 1
}

"$seqgraph" embed "$models/dense.pb" --output=dense.h
"$seqgraph" embed "$models/sum.pb" --output=sum.h --name=sums >said
grep -Eqx 'sum.h: sums\[[0-9]+\]' said || fail "said $(cat said)"

warnings="-Wall -Wextra -Wpedantic -Werror"
# shellcheck disable=SC2086
{
  cc -std=c99 $warnings -I. -I"$root" -o in_c "$root/tests/runtime_library/embedded.c" "$library"
  c++ -std=c++20 $warnings -I. -I"$root" -o in_cpp -x c++ "$root/tests/runtime_library/embedded.c" \
    -x none "$library"
}
# 2 + 6 + 1, and the sums of 0.5, 1, 1.5, 2.
printf '%s\n' 9 0.5 1.5 3 5 >expected
for program in in_c in_cpp; do
  LD_LIBRARY_PATH=$(dirname "$library") ./$program >got
  diff expected got || fail "$program gives other numbers"
done
# As the command does from the file.
printf '%s\n' 0.5 1 1.5 2 | "$seqgraph" stream "$models/sum.pb" | diff <(tail -n 4 expected) - ||
  fail "stream gives other numbers"

# Only what one function needs, unless all are asked for.
"$seqgraph" embed "$models/dense.pb" --output=all.h --function=all
[ "$(wc -c <all.h)" -gt "$(wc -c <dense.h)" ] || fail "all functions are no more than one"
refused() {
  local status=0
  "$seqgraph" embed "$models/dense.pb" "${@:3}" 2>error || status=$?
  [ $status = "$1" ] || fail "status $status of ${*:3}"
  grep -q -- "$2" error || fail "said $(cat error)"
}
refused 2 "--name: expected a name of C, got 'a-b'" --output=no.h --name=a-b
refused 2 "--name: expected a name of C, got 'class'" --output=no.h --name=class
refused 1 'no function "none"' --output=no.h --function=none
refused 1 "no/no.h" --output=no/no.h
[ ! -e no.h ] || fail "a header was written in spite of an error"
# A file's name need not be one of C.
cp "$models/sum.pb" int
cp "$models/sum.pb" '2 *@.pb'
"$seqgraph" embed int --output=int.h
"$seqgraph" embed '2 *@.pb' --output=2.h
printf '#include "int.h"\n#include "2.h"\n%s\n' \
  'int main(void) { return !(model_int_size == model_2____pb_size && model_int[0] == model_2____pb[0]); }' >names.c
# shellcheck disable=SC2086
cc -std=c99 $warnings -I. -o names names.c && ./names || fail "names of files"
