"""Graph test files (serialization/graph_test.proto) as Bazel tests."""

load("//bazel:rules.bzl", "seq_cc_test")

def graph_test(name, srcs, backend, real = "float32", data = [], **kwargs):
    """Runs every case of some graph test files on one backend, and on no other.

    Each case is a test case of its own in the test's XML. A node that the backend does not take is
    a failure.

    Args:
      name: of the test.
      srcs: graph test files (.textproto).
      backend: name of the backend, as --backend takes it.
      real: "float32", or "float64" to evaluate the same cases in double.
      data: model files that the cases name.
      **kwargs: as for cc_test: size, tags, env, visibility.
    """
    seq_cc_test(
        name = name,
        args = ["--backend=" + backend, "--real=" + real] +
               ["$(location " + src + ")" for src in srcs],
        data = srcs + data,
        deps = ["//tools/graph_test:graph_test_main"],
        **kwargs
    )
