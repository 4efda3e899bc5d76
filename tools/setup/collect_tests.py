"""Counts single test cases of one `bazel test` run, from its build event file.

usage: collect_tests.py EVENTS BAZEL_EXIT_STATUS [OUTCOME:NAME...]

EVENTS is what --build_event_json_file wrote. A target that wrote a GoogleTest XML file counts as its
cases, any other test target as one case. What did not build, crashed, timed out or held no case at
all is one failed case. OUTCOME:NAME (passed, failed or skipped) adds cases from elsewhere.

Prints the names of failed and skipped cases and, last, "N passed, N failed, N skipped". Exit status 1
if a case failed.
"""

import json
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree


def read_events(path):
    """Returns (targets that failed to build, tests to run, {test: status}, {test: [XML file]})."""
    unbuilt, tests, status, files = [], set(), {}, {}
    with open(path, encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines if line.strip()]
    for event in events:
        name, ident = next(iter(event["id"].items()))
        label = ident.get("label", "") if isinstance(ident, dict) else ""
        if name == "targetConfigured" and "testSize" in event.get("configured", {}):
            tests.add(label)
        elif name == "targetCompleted" and not event.get("completed", {}).get("success"):
            unbuilt.append(label)
        elif name == "testSummary" and "testSummary" in event:
            status[label] = event["testSummary"]["overallStatus"]
        elif name == "testResult" and "testResult" in event:
            for output in event["testResult"].get("testActionOutput", []):
                if output["name"] == "test.xml":
                    # Of several attempts at one shard the last counts.
                    files.setdefault(label, {})[ident.get("shard", 0)] = urllib.parse.unquote(
                        urllib.parse.urlparse(output["uri"]).path)
    return unbuilt, tests, status, {label: list(f.values()) for label, f in files.items()}


def gtest_cases(path):
    """Returns [(name, outcome)] of a GoogleTest XML file, None for any other file."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None
    if root.tag != "testsuites" or root.get("name") != "AllTests":
        return None
    cases = []
    for case in root.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            outcome = "failed"
        elif case.get("status") == "notrun" or case.get("result") == "skipped":
            outcome = "skipped"
        else:
            outcome = "passed"
        cases.append((case.get("classname", "") + "." + case.get("name", ""), outcome))
    return cases


def collect(events, exit_status):
    """Yields (name, outcome) of every case."""
    unbuilt, tests, status, files = read_events(events)
    for label in unbuilt:
        if label not in status:
            yield label + " (does not build)", "failed"
    any_failed = bool(unbuilt)
    for label in sorted(tests | set(status)):
        if label in unbuilt and label not in status:
            continue
        ok = status.get(label) in ("PASSED", "FLAKY")
        any_failed |= not ok
        found = [gtest_cases(path) for path in files.get(label, [])]
        cases = [case for cases in found for case in cases or []]
        for name, outcome in cases:
            yield label + " " + name, outcome
        if not ok and not any(outcome == "failed" for _, outcome in cases):
            yield "%s (%s)" % (label, status.get(label, "did not run")), "failed"
        elif ok and not cases and [] in found:
            yield label + " (holds no test case)", "failed"
        elif ok and not cases:
            yield label, "passed"
    if not tests and not status:
        yield "bazel test (ran no test)", "failed"
    elif exit_status != 0 and not any_failed:
        yield "bazel test (exit status %d)" % exit_status, "failed"


def main(arguments):
    cases = [tuple(reversed(extra.split(":", 1))) for extra in arguments[2:]]
    try:
        cases += collect(arguments[0], int(arguments[1]))
    except (OSError, ValueError, KeyError) as error:
        cases.append(("bazel test (no readable results in %s: %s)" % (arguments[0], error), "failed"))
    names = {"passed": [], "failed": [], "skipped": []}
    for name, outcome in cases:
        names[outcome].append(name)
    for outcome in ("skipped", "failed"):
        for name in names[outcome]:
            print("%s: %s" % (outcome, name))
    print("%d passed, %d failed, %d skipped" % tuple(
        len(names[outcome]) for outcome in ("passed", "failed", "skipped")))
    return 1 if names["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
