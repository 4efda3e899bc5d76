#!/bin/bash
# Checks files with Keras itself, where SEQGRAPH_KERAS_PYTHON names a Python that has it:
#   bazel test --test_env=SEQGRAPH_KERAS_PYTHON=ENV/bin/python //tests/keras_files:check_with_keras_test
set -eu
if [[ -z ${SEQGRAPH_KERAS_PYTHON:-} ]]; then
  echo "SKIPPED: needs Keras: SEQGRAPH_KERAS_PYTHON names no Python (tools/test_exchange makes one)"
  # So that it is counted as skipped, not as passed.
  cat >"$XML_OUTPUT_FILE" <<'XML'
<testsuites name="AllTests"><testsuite name="CheckWithKeras" tests="1">
<testcase classname="CheckWithKeras" name="KerasLoadsOurFiles" status="notrun" result="skipped"/>
</testsuite></testsuites>
XML
  exit 0
fi
HOME=${HOME:-$TEST_TMPDIR} exec "$SEQGRAPH_KERAS_PYTHON" tests/keras_files/check_with_keras.py \
  tools/seqgraph_main
