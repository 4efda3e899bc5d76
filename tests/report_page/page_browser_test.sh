#!/bin/bash
# Shows pages to Chromium, where SEQGRAPH_CHROMIUM names one:
#   bazel test --test_env=SEQGRAPH_CHROMIUM=/usr/bin/chromium //tests/report_page:page_browser_test
set -eu
if [[ -z ${SEQGRAPH_CHROMIUM:-} ]]; then
  echo "SKIPPED: needs Chromium: SEQGRAPH_CHROMIUM names none (tools/test_browser installs one)"
  # So that it is counted as skipped, not as passed.
  cat >"$XML_OUTPUT_FILE" <<'XML'
<testsuites name="AllTests"><testsuite name="PageBrowser" tests="1">
<testcase classname="PageBrowser" name="PagesInChromium" status="notrun" result="skipped"/>
</testsuite></testsuites>
XML
  exit 0
fi
exec python3 tests/report_page/page_browser_test.py "$SEQGRAPH_CHROMIUM" tools/report/testing/make_page \
  tests/report_page/screens
