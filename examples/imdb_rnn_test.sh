#!/bin/bash
# Two epochs of the example on synthetic data: it must learn something, save and answer.
set -eu
cd "$TEST_TMPDIR"
output=$("$TEST_SRCDIR/$TEST_WORKSPACE/examples/imdb_rnn" synthetic 2 "$1" best.pb 2>log.txt)
echo "$output"
cat log.txt
[[ "$output" =~ ^"synthetic data, 2 epochs: a wonderful film is positive with probability 0."[0-9]+$ ]]
[[ -s best.pb ]]
[[ $(grep -c '^Epoch [12]/2 - .*val_loss: ' log.txt) == 2 ]]
losses=($(sed -n 's/^Epoch .* - loss: \([0-9.]*\).*/\1/p' log.txt))
awk -v a="${losses[0]}" -v b="${losses[1]}" 'BEGIN { exit !(b < a) }'
