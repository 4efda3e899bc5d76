"""Tests of the seqgraph command from outside: exit status, output, files."""

load("//bazel:rules.bzl", "seq_cc_test")

def seq_command_test(name, data = [], deps = [], **kwargs):
    """A seq_cc_test that runs the command (tests/end_to_end/process.h).

    Args:
      name: of the test, from NAME.cc.
      data: files that it reads besides.
      deps: what it needs besides.
      **kwargs: as for seq_cc_test.
    """
    seq_cc_test(
        name = name,
        size = "medium",
        data = ["//tools:seqgraph_main"] + data,
        deps = [
            "//data/testing",
            "//tests/end_to_end:process",
            "//tests/end_to_end:review_files",
        ] + deps,
        **kwargs
    )
