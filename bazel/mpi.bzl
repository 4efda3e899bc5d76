"""The shared object that speaks MPI."""

load("@mpi//:found.bzl", "FOUND")
load("//bazel:rules.bzl", "seq_cc_binary")

def seq_mpi_object(name, srcs, exports, deps):
    """libNAME.so, of which NAME is the list of files: empty where the machine has no MPI.

    Args:
      name: of the list.
      srcs: as everywhere.
      exports: a version script of what it exports.
      deps: as everywhere.
    """
    if not FOUND:
        native.filegroup(name = name)
        return
    seq_cc_binary(
        name = "lib" + name + ".so",
        srcs = srcs,
        copts = ["-fvisibility=hidden"],
        linkopts = ["-Wl,--version-script=$(location " + exports + ")"],
        linkshared = 1,
        deps = deps + [
            exports,
            "@mpi",
        ],
    )
    native.filegroup(
        name = name,
        srcs = ["lib" + name + ".so"],
    )
