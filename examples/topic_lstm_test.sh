#!/bin/bash
# The example on the notes that it makes up: it must learn to tell their topics, save and answer.
set -eu
cd "$TEST_TMPDIR"
example=$TEST_SRCDIR/$TEST_WORKSPACE/examples/topic_lstm
"$example" >first.txt 2>log.txt # writes notes.csv
output=$("$example" notes.csv 12 "$1" best.pb 2>log.txt)
echo "$output"
cat log.txt
[[ "$output" =~ ^[0-9]+" epochs, best validation accuracy "[01]\.([0-9]+)": the note is about sport (0."[0-9]+")"$ ]]
accuracy=$(sed -n 's/.*accuracy \([0-9.]*\):.*/\1/p' <<<"$output")
awk -v a="$accuracy" 'BEGIN { exit !(a >= 0.9) }'
[[ -s best.pb ]]
