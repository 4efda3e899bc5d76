#!/bin/bash
# The example: nearly all blocks of a talk that it has not heard are judged right, and the command
# gives a probability for each.
set -eu
seqgraph=$(realpath "$1")
cd "$TEST_TMPDIR"
output=$("$TEST_SRCDIR/$TEST_WORKSPACE/examples/voice_activity" 8)
echo "$output"
grep -Eq "^ +[0-9.]+ s: somebody speaks$" <<<"$output"
right=$(sed -n 's/ of 480 blocks are judged right//p' <<<"$output")
[ "$right" -ge 456 ]
"$seqgraph" stream voice_activity.pb --input=talk.wav >blocks
[ "$(wc -l <blocks)" = 480 ]
# As many changes of mind as the example tells.
changes=$(awk '{ now = $1 > 0.5; n += now != before; before = now } END { print n }' blocks)
[ "$changes" = "$(grep -c " s: " <<<"$output")" ]
