"""Tests check.py on edges written by hand: it must let the good ones through and name the bad ones."""

import contextlib
import io
import os
import tempfile
import unittest

from tests.folder_edges import check


def rule(name, dependencies, kind="cc_library", testonly=False):
    flag = '<boolean name="testonly" value="true"/>' if testonly else ""
    inputs = "".join('<rule-input name="%s"/>' % d for d in dependencies)
    return '<rule class="%s" name="%s">%s%s</rule>' % (kind, name, flag, inputs)


def run(*rules):
    """Exit status and output of check.py for a graph of these rules."""
    text = '<?xml version="1.1" encoding="UTF-8" standalone="no"?><query>%s</query>'
    output = io.StringIO()
    with tempfile.NamedTemporaryFile("w", suffix=".xml", delete=False) as file:
        file.write(text % "".join(rules))
    try:
        with contextlib.redirect_stdout(output):
            return check.main(file.name), output.getvalue()
    finally:
        os.unlink(file.name)


class FolderEdgesTest(unittest.TestCase):

    def test_lets_the_edges_of_the_table_through(self):
        status, output = run(
            rule("//graph:shape", ["//graph:shape.cc", "//base:base", "//bazel:absl"]),
            rule("//ops:dense", ["//graph:op_def"]),
            rule("//layers:layers", ["//graph:op_def", "//ops:dense"]),
            rule("//serialization/keras:keras", ["//layers:layers"]),
            rule("//runtime:plan", ["//graph:op_def", "//base:base"]),
            rule("//backends/onednn:onednn", ["//runtime:backend", "//graph:shape", "@onednn//:dnnl"]),
            rule("//backends/onednn:onednn", ["//backends/kernels:kernel"]),
            rule("//backends/kernels:kernel", ["//runtime:backend", "//graph:shape"]),
            rule("//backends:all_backends", ["//backends/onednn:onednn"]),
            rule("//training:loop", ["//graph:g", "//ops:o", "//runtime:r", "//serialization:s",
                                     "//data:d"]),
            rule("//tools:main", ["//training:loop"]))
        self.assertEqual((status, output), (0, ""))

    def test_names_each_forbidden_edge(self):
        for source, target in [
            ("//graph:shape", "//ops:dense"),
            ("//graph:shape", "//data:tokens"),
            ("//base:base", "//graph:shape"),
            ("//ops:dense", "//runtime:backend"),
            ("//ops:dense", "//serialization:model"),
            ("//ops:dense", "//layers:layers"),
            ("//graph:shape", "//layers:layers"),
            ("//layers:layers", "//runtime:backend"),
            ("//layers:layers", "//serialization:model"),
            ("//serialization:model", "//ops:all_ops"),
            ("//serialization/keras:import", "//ops:all_ops"),
            ("//runtime:backend", "//ops:dense"),
            ("//runtime:backend", "//backends/onednn:onednn"),
            ("//backends/onednn:onednn", "//ops:dense"),
            ("//backends/onednn:onednn", "//backends/reference:reference"),
            ("//backends/onednn/kernels:gemm", "//backends/reference:reference"),
            ("//backends/kernels:kernel", "//backends/onednn:onednn"),
            ("//backends/kernels:kernel", "//ops:dense"),
            ("//backends/reference:reference", "//ops:dense"),
            ("//data:tokens", "//graph:tensor"),
            ("//training:loop", "//tools:progress"),
            ("//training:loop", "//tests:testing"),
            ("//new_folder:x", "//graph:shape"),
        ]:
            with self.subTest(source=source, target=target):
                status, output = run(rule(source, ["//bazel:absl", target]))
                self.assertEqual(status, 1)
                self.assertIn("%s must not depend on %s" % (source, target), output)

    def test_leaves_tests_alone(self):
        status, output = run(
            rule("//graph:shape", ["//graph:shape.cc"]),
            rule("//graph:gradient_test", ["//ops:all_ops"], kind="cc_test"),
            rule("//ops:examples", ["//tests:testing"], testonly=True))
        self.assertEqual((status, output), (0, ""))

    def test_fails_where_it_sees_nothing(self):
        self.assertEqual(run()[0], 1)


if __name__ == "__main__":
    unittest.main()
