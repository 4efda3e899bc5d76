#!/bin/bash
# The example: what it learns comes close to the amplifier, on a second that it was not trained on,
# and the command makes the same sound of the model, whatever the blocks.
set -eu
seqgraph=$(realpath "$1")
cd "$TEST_TMPDIR"
output=$("$TEST_SRCDIR/$TEST_WORKSPACE/examples/guitar_amplifier" 30)
echo "$output"
grep -Eq "not trained on: 0\.0[0-2]" <<<"$output"
grep -Eq " bytes a stream; [0-9]+ times as fast as real time" <<<"$output"
samples=$((4 * 5 * 16000))
for block in 64 1000; do
  "$seqgraph" stream amplifier.pb --input=guitar.wav --output=same.wav --block=$block
  cmp <(tail -c $samples amplified.wav) <(tail -c $samples same.wav)
done
