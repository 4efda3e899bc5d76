"""Which MPI the shared object distributed/mpi is built with: @mpi, and whether there is one.

Without more, Open MPI where pkg-config finds it (Debian's libopenmpi-dev), else MPICH
(libmpich-dev), else none: nothing needs it. --repo_env=SEQGRAPH_MPI=NAME takes that one of
pkg-config's names ("ompi-c", "mpich"), or none for "off".
"""

_BUILD = """
cc_library(
    name = "mpi",
    # C's interface alone.
    defines = [
        "MPICH_SKIP_MPICXX",
        "OMPI_SKIP_MPICXX",
    ],
    hdrs = glob(["include*/*.h"]),
    includes = {includes},
    linkopts = {options},
    visibility = ["//visibility:public"],
)
"""

def _mpi_repository_impl(ctx):
    asked = ctx.os.environ.get("SEQGRAPH_MPI", "")
    tool = ctx.which("pkg-config")
    for name in [] if asked == "off" or not tool else [asked] if asked else ["ompi-c", "mpich"]:
        found = ctx.execute([tool, "--cflags-only-I", "--libs", name])
        if found.return_code:
            if asked:
                fail("SEQGRAPH_MPI=%s: pkg-config does not find it: %s" % (asked, found.stderr))
            continue
        options = [option for option in found.stdout.strip().split(" ") if option]
        folders = [option[2:] for option in options if option.startswith("-I")]
        links = []
        for i, folder in enumerate(folders):
            ctx.symlink(folder, "include%d" % i)
            links.append("include%d" % i)
        libraries = [option for option in options if not option.startswith("-I")]
        ctx.file("BUILD", _BUILD.format(includes = repr(links), options = repr(libraries)))
        ctx.file("found.bzl", "FOUND = True\n")
        return
    ctx.file("BUILD", "")
    ctx.file("found.bzl", "FOUND = False\n")

mpi_repository = repository_rule(
    implementation = _mpi_repository_impl,
    environ = ["PATH", "PKG_CONFIG_PATH", "SEQGRAPH_MPI"],
    local = True,
)
