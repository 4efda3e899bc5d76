"""Which oneDNN the backend is built against.

Without more, Debian's (2.6.3). With --repo_env=SEQGRAPH_ONEDNN=FOLDER, the one in FOLDER, which
holds `include/` and `lib/`; tools/test_onednn3 uses this.
"""

_SYSTEM = """
cc_library(
    name = "dnnl",
    linkopts = ["-ldnnl"],
    visibility = ["//visibility:public"],
)
"""

# The library is found at run time by the absolute folder: tests run in a sandbox, which may read
# absolute paths.
_FOLDER = """
cc_library(
    name = "dnnl",
    hdrs = glob(["include/**"]),
    includes = ["include"],
    linkopts = [
        "-L{folder}/lib",
        "-Wl,-rpath,{folder}/lib",
        "-ldnnl",
    ],
    visibility = ["//visibility:public"],
)
"""

def _onednn_repository_impl(ctx):
    folder = ctx.os.environ.get("SEQGRAPH_ONEDNN", "")
    if not folder:
        ctx.file("BUILD", _SYSTEM)
        return
    for path in ["include/oneapi/dnnl/dnnl.h", "lib/libdnnl.so"]:
        if not ctx.path(folder + "/" + path).exists:
            fail("SEQGRAPH_ONEDNN=" + folder + ": no " + path + " in this folder")
    ctx.symlink(folder + "/include", "include")
    ctx.file("BUILD", _FOLDER.format(folder = folder))

onednn_repository = repository_rule(
    implementation = _onednn_repository_impl,
    environ = ["SEQGRAPH_ONEDNN"],
    local = True,
)
