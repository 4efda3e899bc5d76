"""Backend plugins: shared libraries that export one symbol."""

load("//bazel:rules.bzl", "seq_cc_binary")

def seq_plugin(name, srcs, deps = [], copts = [], linkopts = [], **kwargs):
    """A plugin libNAME.so that exports seqgraph_backend_entry and nothing else.

    Args:
      name: the target, and the NAME of libNAME.so's target "libNAME.so".
      srcs: C or C++ sources, one of which uses SEQGRAPH_BACKEND.
      deps: libraries, which become part of the plugin.
      copts: as everywhere.
      linkopts: as everywhere.
      **kwargs: as for cc_binary.
    """
    script = "//backends/plugin:exports.lds"
    seq_cc_binary(
        name = "lib" + name + ".so",
        srcs = srcs,
        copts = ["-fvisibility=hidden"] + copts,
        linkopts = [
            # gold exports weak and indirect functions in spite of the script.
            "-fuse-ld=bfd",
            "-Wl,--version-script=$(location " + script + ")",
        ] + linkopts,
        # bfd does not know --start-lib.
        features = ["-supports_start_end_lib"],
        linkshared = 1,
        deps = deps + [script],
        **kwargs
    )
