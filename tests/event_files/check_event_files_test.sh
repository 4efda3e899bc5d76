#!/bin/bash
# Reads event files and traces with the programs that they are made for, where
# SEQGRAPH_TENSORBOARD_PYTHON names a Python that has them:
#   bazel test --test_env=SEQGRAPH_TENSORBOARD_PYTHON=ENV/bin/python \
#     //tests/event_files:check_event_files_test
# SEQGRAPH_TRACE_PROCESSOR may name a folder with Perfetto's trace_processor as WebAssembly.
set -eu
if [[ -z ${SEQGRAPH_TENSORBOARD_PYTHON:-} ]]; then
  echo "SKIPPED: needs TensorBoard: SEQGRAPH_TENSORBOARD_PYTHON names no Python" \
    "(tools/test_exchange makes one)"
  # So that it is counted as skipped, not as passed.
  cat >"$XML_OUTPUT_FILE" <<'XML'
<testsuites name="AllTests"><testsuite name="CheckEventFiles" tests="1">
<testcase classname="CheckEventFiles" name="TensorBoardReadsOurFiles" status="notrun" result="skipped"/>
</testsuite></testsuites>
XML
  exit 0
fi
HOME=${HOME:-$TEST_TMPDIR} exec "$SEQGRAPH_TENSORBOARD_PYTHON" -W error::UserWarning \
  tests/event_files/check_event_files.py tools/seqgraph_main
