#!/bin/bash
# usage: browser_test.sh NAME ARGUMENT...     runs NAME.py CHROMIUM ARGUMENT... of this folder, where
# SEQGRAPH_CHROMIUM names a Chromium; an ARGUMENT SEQGRAPH_NAME stands for what that variable says:
#   bazel test --test_env=SEQGRAPH_CHROMIUM=/usr/bin/chromium //tests/report_page:page_browser_test
set -eu
name=$1
shift
arguments=()
missing=
[[ -n ${SEQGRAPH_CHROMIUM:-} ]] || missing=SEQGRAPH_CHROMIUM
for argument; do
  if [[ $argument == SEQGRAPH_* ]]; then
    [[ -n ${!argument:-} ]] || missing=$argument
    argument=${!argument:-}
  fi
  arguments+=("$argument")
done
if [[ -n $missing ]]; then
  echo "SKIPPED: $missing is not set (tools/test_browser does)"
  # So that it is counted as skipped, not as passed.
  cat >"$XML_OUTPUT_FILE" <<XML
<testsuites name="AllTests"><testsuite name="Browser" tests="1">
<testcase classname="Browser" name="$name" status="notrun" result="skipped"/>
</testsuite></testsuites>
XML
  exit 0
fi
exec python3 "tests/report_page/$name.py" "$SEQGRAPH_CHROMIUM" "${arguments[@]}"
