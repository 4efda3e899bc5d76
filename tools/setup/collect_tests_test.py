"""Tests collect_tests.py on results written by hand in the forms that Bazel and GoogleTest write."""

import contextlib
import io
import json
import os
import tempfile
import unittest

from tools.setup import collect_tests

GTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="5" failures="1" disabled="1" errors="0" time="0" name="AllTests">
  <testsuite name="A" tests="5" failures="1" disabled="1" skipped="1" errors="0" time="0">
    <testcase name="One" status="run" result="completed" time="0" classname="A" />
    <testcase name="Two" status="run" result="completed" time="0" classname="A">
      <failure message="a.cc:3&#x0A;&lt;testcase" type=""><![CDATA[a.cc:3
    <testcase name="NotACase" status="run" result="completed" classname="A" />
]]></failure>
      <failure message="again" type=""></failure>
    </testcase>
    <testcase name="Three" status="run" result="skipped" time="0" classname="A">
      <skipped message="needs the shared data"/>
    </testcase>
    <testcase name="DISABLED_Four" status="notrun" result="suppressed" time="0" classname="A" />
    <testcase name="Five/0" value_param="3" status="run" result="completed" classname="B/A" />
  </testsuite>
</testsuites>
"""
GTEST_PASSED = """<testsuites tests="1" failures="0" name="AllTests"><testsuite name="A" tests="1">
<testcase name="One" status="run" result="completed" classname="A" /></testsuite></testsuites>"""
GTEST_EMPTY = '<testsuites tests="0" failures="0" disabled="0" errors="0" name="AllTests">\n</testsuites>'
BAZEL = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="x" tests="1" failures="0" errors="0">
<testcase name="x" status="run" duration="0" time="0"></testcase>
<system-out><![CDATA[5 passed]]></system-out></testsuite></testsuites>"""


class CollectTestsTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.events = []

    def tearDown(self):
        self.folder.cleanup()

    def target(self, label, status=None, xml=(), built=True):
        """Adds a test target as Bazel reports it, with one XML file a shard."""
        self.events.append({"id": {"targetConfigured": {"label": label}},
                            "configured": {"targetKind": "cc_test rule", "testSize": "MEDIUM"}})
        self.events.append({"id": {"targetCompleted": {"label": label}},
                            "completed": {"success": True} if built else {}})
        for shard, text in enumerate(xml):
            path = os.path.join(self.folder.name, "%d a.xml" % len(os.listdir(self.folder.name)))
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            uri = "file://" + path.replace(" ", "%20")
            self.events.append({
                "id": {"testResult": {"label": label, "run": 1, "shard": shard + 1, "attempt": 1}},
                "testResult": {"testActionOutput": [{"name": "test.log", "uri": "file:///no/such"},
                                                    {"name": "test.xml", "uri": uri}]}})
        if status:
            self.events.append({"id": {"testSummary": {"label": label}},
                                "testSummary": {"overallStatus": status}})

    def run_main(self, exit_status=0, *extra):
        path = os.path.join(self.folder.name, "events.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(json.dumps(event) for event in self.events) + "\n")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = collect_tests.main([path, str(exit_status)] + list(extra))
        return status, output.getvalue().splitlines()

    def test_counts_single_cases(self):
        self.target("//a:a_test", "FAILED", [GTEST])
        self.assertEqual(self.run_main(3), (1, [
            "skipped: //a:a_test A.Three", "skipped: //a:a_test A.DISABLED_Four",
            "failed: //a:a_test A.Two", "2 passed, 1 failed, 2 skipped"]))

    def test_adds_shards_and_cases_from_elsewhere(self):
        self.target("//a:a_test", "PASSED", [GTEST_PASSED, GTEST_PASSED])
        self.assertEqual(self.run_main(0, "passed:format", "skipped:npm: none", "failed:edges"), (1, [
            "skipped: npm: none", "failed: edges", "3 passed, 1 failed, 1 skipped"]))

    def test_another_kind_of_test_is_one_case(self):
        self.target("//a:script_test", "PASSED", [BAZEL])
        self.target("//a:no_file_test", "PASSED")
        self.target("//a:bad_test", "FAILED", [BAZEL])
        self.assertEqual(self.run_main(3), (1, [
            "failed: //a:bad_test (FAILED)", "2 passed, 1 failed, 0 skipped"]))

    def test_a_target_that_fails_outside_its_cases_is_a_failed_case(self):
        self.target("//a:leak_test", "FAILED", [GTEST_PASSED])
        self.target("//a:slow_test", "TIMEOUT")
        self.assertEqual(self.run_main(3), (1, [
            "failed: //a:leak_test (FAILED)", "failed: //a:slow_test (TIMEOUT)",
            "1 passed, 2 failed, 0 skipped"]))

    def test_what_does_not_build_or_run_is_a_failed_case(self):
        self.target("//a:broken_test", built=False)
        self.events.append({"id": {"targetCompleted": {"label": "//a:library"}}, "aborted": {}})
        self.target("//a:lost_test")
        self.target("//a:good_test", "PASSED", [GTEST_PASSED])
        self.assertEqual(self.run_main(1), (1, [
            "failed: //a:broken_test (does not build)", "failed: //a:library (does not build)",
            "failed: //a:lost_test (did not run)", "1 passed, 3 failed, 0 skipped"]))

    def test_a_broken_build_file_is_a_failed_case(self):
        self.target("//a:good_test", "PASSED", [GTEST_PASSED])
        self.assertEqual(self.run_main(1), (1, [
            "failed: bazel test (exit status 1)", "1 passed, 1 failed, 0 skipped"]))

    def test_a_binary_without_cases_and_a_run_without_tests_are_failed_cases(self):
        self.assertEqual(self.run_main(), (1, [
            "failed: bazel test (ran no test)", "0 passed, 1 failed, 0 skipped"]))
        self.target("//a:empty_test", "PASSED", [GTEST_EMPTY])
        self.assertEqual(self.run_main(), (1, [
            "failed: //a:empty_test (holds no test case)", "0 passed, 1 failed, 0 skipped"]))

    def test_unreadable_events_are_a_failed_case(self):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = collect_tests.main(["/no/such/file", "0"])
        self.assertEqual(status, 1)
        self.assertEqual(output.getvalue().splitlines()[-1], "0 passed, 1 failed, 0 skipped")


if __name__ == "__main__":
    unittest.main()
