"""Checks which folder may know which, over Bazel's graph of targets.

usage: check.py RULES.XML          (from `bazel query --noimplicit_deps --output=xml 'kind(rule, //...)'`)

Every dependency of a target on another folder's target must be in the table below. Targets that exist
only for tests (testonly, *_test) may know everything. Exit status 1 naming each forbidden edge.
"""

import sys
import xml.etree.ElementTree as ElementTree

# Area -> the areas its targets may depend on, besides itself. An area is a folder with all below it;
# "backends" is the list of backends, each backend below it an area of its own; "backends/kernels" is
# what backends share.
_ALL = None
_ALLOWED = {
    "": _ALL,
    "bazel": {"base", "graph"},  # the compiled headers
    "base": set(),
    "graph": {"base"},
    "ops": {"base", "graph"},
    "layers": {"base", "graph", "ops"},
    "optimizers": {"base", "graph", "ops"},
    "runtime": {"base", "graph"},
    "backends": {"base", "runtime"},
    "backends/kernels": {"base", "graph", "runtime"},
    "backends/*": {"base", "graph", "runtime", "backends/kernels"},
    "stream": {"base", "graph", "ops", "runtime", "backends/simd"},
    "serialization": {"base", "graph", "layers", "optimizers"},
    "data": {"base"},
    "distributed": {"base"},
    "training": {"base", "graph", "ops", "layers", "optimizers", "runtime", "backends",
                 "serialization", "data", "distributed"},
    "runtime_library": {"base", "graph", "ops", "runtime", "stream", "backends/kernels",
                        "backends/simd", "backends/plugin"},
    "tools": _ALL,
    "examples": _ALL,
    "tests": _ALL,
}
# The one target that knows the backends: the list of built-in ones.
_LIST_OF_BACKENDS = "//backends:all_backends"


def area(label):
    """The area of a label of this repository: "graph", "backends/onednn"."""
    parts = label[len("//"):].split(":")[0].split("/")
    return "/".join(parts[:2]) if parts[0] == "backends" else parts[0]


def is_allowed(source, target):
    """Whether a target called `source` that is not only for tests may depend on `target`."""
    if target.startswith("@"):
        return True
    here, there = area(source), area(target)
    if here == there or there == "bazel":
        return True
    if source == _LIST_OF_BACKENDS and there.startswith("backends/"):
        return True
    key = "backends/*" if here.startswith("backends/") and here not in _ALLOWED else here
    if key not in _ALLOWED:
        return False
    return _ALLOWED[key] is _ALL or there in _ALLOWED[key]


def is_for_tests(rule):
    if rule.get("class").endswith("_test") or rule.get("class") == "test_suite":
        return True
    return any(
        attribute.get("name") == "testonly" and attribute.get("value") in ("true", "1")
        for attribute in list(rule.findall("boolean")) + list(rule.findall("int")))


def edges(xml):
    """Yields (source, target) for every dependency of a rule that is not only for tests."""
    # Bazel declares XML 1.1, which Python's parser does not know; nothing in the file needs it.
    root = ElementTree.fromstring(xml.replace('<?xml version="1.1"', '<?xml version="1.0"', 1))
    for rule in root.iter("rule"):
        if not is_for_tests(rule):
            for dependency in rule.findall("rule-input"):
                yield rule.get("name"), dependency.get("name")


def main(path):
    with open(path, encoding="utf-8") as file:
        found = list(edges(file.read()))
    if not found:
        print("folder edges: no dependency found in %s: nothing was checked" % path)
        return 1
    wrong = [edge for edge in found if not is_allowed(*edge)]
    for source, target in wrong:
        print("folder edges: %s must not depend on %s (%s -> %s): see the table in "
              "tests/folder_edges/check.py" % (source, target, area(source), area(target)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
