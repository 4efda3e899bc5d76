#!/bin/bash
# The example on made-up hours, through one backend: it beats the week before and tells the next day.
set -eu
cd "$TEST_TMPDIR"
output=$("$TEST_SRCDIR/$TEST_WORKSPACE/examples/series_forecast" "" 6 "$1")
echo "$output"
grep -q "better than " <<<"$output"
grep -Eq "the next day begins with [0-9]+\.[0-9], " <<<"$output"
