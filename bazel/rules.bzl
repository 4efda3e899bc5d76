"""The rules that every BUILD file here uses: Bazel's C++ rules with our warnings, and protobuf.

A folder is one library as a rule (seq_cc_folder): a new file needs no line in a BUILD file. A library
that is less than its folder (seq_cc_library) is named after its pair of files.
"""

load("@compiler//:flags.bzl", "PRELUDE_AT_O1")
load("//bazel:prelude.bzl", "prelude_copts")

# -Wmissing-field-initializers (in -Wextra) would forbid `Options{.units = 8}`, which sets the one
# field that differs from its default.
_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-missing-field-initializers",
    # A guess that differs from one compiler to the next, and is mostly about inlined library code.
    "-Wno-error=maybe-uninitialized",
]

# Folders whose loops run over data: -O2. All other code runs once a command or a compiled function,
# or is a definition (ops/), and takes a quarter less time to compile with -O1.
_FAST_FOLDERS = ["backends", "base", "data", "distributed", "examples", "runtime"]

# Folders of which the runtime library has all, and whose code runs once a model: for size, a third
# less than with -O1.
_SMALL_FOLDERS = ["graph", "ops/rewrites"]

# Folders that graph/ does not lie under.
_WITHOUT_GRAPH = ["base", "data", "graph"]

def _grouped(name, srcs, together, alone):
    """The sources as they are compiled: up to `together` files as one, but for those in `alone`.

    What a file brings to the compiler besides its own lines (templates instantiated by every file,
    above all) then comes once a group: half of all compilation. A group is the text of its files,
    with #line before each, so that messages, backtraces and coverage name the files themselves. The
    names that a file keeps to itself must therefore be no other's of its folder, unless it is
    compiled alone. --config=each compiles file by file.
    """
    joined = [src for src in srcs if src not in alone]
    if together == 1 or len(joined) < 2:
        return srcs
    count = (len(joined) + together - 1) // together
    groups = [src for src in srcs if src in alone]
    for i in range(count):
        group = "_%s_%d" % (name, i)
        native.genrule(
            name = group,
            srcs = joined[i * len(joined) // count:(i + 1) * len(joined) // count],
            outs = [group + ".cc"],
            cmd = """awk 'FNR == 1 { print "#line 1 \\"" FILENAME "\\"" } { print }' $(SRCS) >$@""",
            message = "Joining sources of //%s:%s" % (native.package_name(), name),
            visibility = ["//visibility:private"],
        )
        groups.append(group + ".cc")
    return select({
        "//bazel:each_file": srcs,
        "//conditions:default": groups,
    })

def _compiled(rule, name, srcs, copts, deps, prelude = None, common = [], together = 1, alone = [], **kwargs):
    """A C++ rule with our warnings and what every target may use: Abseil, //base and `common`.

    Each dependency is given once, whatever it is called. Before the sources stands the prelude,
    unless flags are asked for that a compiled one does not fit.

    Args:
      rule: cc_library, cc_binary or cc_test.
      name: as everywhere.
      srcs: as everywhere.
      copts: as everywhere.
      deps: as everywhere.
      prelude: the target of //bazel that is put before the sources; None: the folder's.
      common: further dependencies.
      together: how many files at most are compiled as one (_grouped says at what price).
      alone: files that are not.
      **kwargs: as for `rule`.
    """
    package = native.package_name()
    top = package.split("/")[0]
    if package in _SMALL_FOLDERS and rule == native.cc_library:
        copts = ["-Os"] + copts
    prelude = prelude or ("prelude" if top in _WITHOUT_GRAPH else "graph_prelude")
    if "-Os" in copts:
        prelude = "small_" + prelude
    labels = common + ["//bazel:absl"] + ([] if package == "base" else ["//base"])
    labels += ["//" + package + dep if dep.startswith(":") else dep for dep in deps]
    if srcs and "-fopenmp" not in copts and not [src for src in srcs if src.endswith(".c")]:
        labels.append("//bazel:" + prelude)
        copts = prelude_copts(prelude) + copts
    if together > 1:
        # It asks whether a type without a name for others is the main file's own.
        copts = ["-Wno-subobject-linkage"] + copts
    if "-Os" not in copts and (top not in _FAST_FOLDERS or rule == native.cc_test):
        copts = ["-O1"] + PRELUDE_AT_O1 + copts
    rule(
        name = name,
        srcs = _grouped(name, srcs, together, alone),
        copts = _COPTS + copts,
        deps = {label: None for label in labels}.keys(),
        **kwargs
    )

def seq_cc_library(
        name,
        srcs = None,
        hdrs = None,
        copts = [],
        deps = [],
        test_deps = None,
        linkstatic = 1,
        together = 1,
        alone = [],
        **kwargs):
    """A cc_library with our warnings, Abseil and //base.

    Args:
      name: of the library.
      srcs: without srcs and hdrs, NAME.cc and NAME.h: those of the two that exist.
      hdrs: see srcs.
      copts: as everywhere.
      deps: what it needs besides.
      test_deps: where given, NAME_test.cc is its test, which needs these besides.
      linkstatic: as everywhere.
      together: how many files at most are compiled as one (_grouped says at what price).
      alone: files that are not.
      **kwargs: as for cc_library.
    """
    if srcs == None and hdrs == None:
        srcs = native.glob([name + ".cc"])
        hdrs = native.glob([name + ".h"])
        if not srcs + hdrs:
            fail("seq_cc_library %s: neither %s.cc nor %s.h here, and no srcs" % (name, name, name))
    _compiled(
        native.cc_library,
        name = name,
        srcs = srcs or [],
        hdrs = hdrs or [],
        copts = copts,
        linkstatic = linkstatic,
        together = together,
        alone = alone,
        deps = deps,
        **kwargs
    )
    if test_deps != None:
        seq_cc_test(name = name + "_test", deps = [":" + name] + deps + test_deps)

def seq_cc_folder(
        name,
        deps = [],
        exclude = [],
        test_deps = [],
        other_tests = [],
        together = 12,
        **kwargs):
    """All sources of this folder as one library, and a seq_cc_test for each *_test.cc.

    Args:
      name: of the library; the folder's, as a rule.
      deps: of the library.
      exclude: files that belong to other targets.
      test_deps: what the tests need besides the library.
      other_tests: files *_test.cc whose targets are written out, because they need more than that.
      together: as for seq_cc_library.
      **kwargs: as for cc_library.
    """
    seq_cc_library(
        name = name,
        together = together,
        srcs = native.glob(["*.cc"], exclude = ["*_test.cc"] + exclude),
        hdrs = native.glob(["*.h"], exclude = exclude),
        deps = deps,
        **kwargs
    )
    seq_cc_tests(
        exclude = exclude + other_tests,
        deps = [":" + name] + test_deps,
    )

def seq_cc_testing(deps, visibility = ["//visibility:public"], **kwargs):
    """The helpers of tests that lie in this folder, "testing", as one library.

    Args:
      deps: as everywhere.
      visibility: as everywhere.
      **kwargs: as for seq_cc_folder.
    """
    seq_cc_folder(name = "testing", testonly = 1, visibility = visibility, deps = deps, **kwargs)

def seq_cc_tests(deps = [], exclude = [], **kwargs):
    """A seq_cc_test for each *_test.cc of this folder.

    Args:
      deps: of each.
      exclude: files whose targets are written out, because they need something else.
      **kwargs: as for seq_cc_test.
    """
    for src in native.glob(["*_test.cc"], exclude = exclude):
        seq_cc_test(name = src[:-len(".cc")], deps = deps, **kwargs)

def seq_cc_binary(name, srcs = None, copts = [], deps = [], **kwargs):
    """A cc_binary with our warnings, Abseil and //base; without srcs, of NAME.cc."""
    _compiled(
        native.cc_binary,
        name = name,
        srcs = [name + ".cc"] if srcs == None else srcs,
        copts = copts,
        deps = deps,
        **kwargs
    )

def seq_cc_test(name, srcs = None, copts = [], deps = [], linkstatic = 1, **kwargs):
    """A cc_test with our warnings, Abseil, //base and //tests:testing (GoogleTest); of NAME.cc.

    Our own libraries are linked in statically: a small test costs one short link, and no shared
    object is made for each library. Give timeout = "long" to what takes more than a minute or so:
    sanitizers and busy machines are several times slower.

    Args:
      name: of the test.
      srcs: without them, NAME.cc if it exists.
      copts: as everywhere.
      deps: what it needs besides.
      linkstatic: as everywhere.
      **kwargs: as for cc_test.
    """
    _compiled(
        native.cc_test,
        name = name,
        srcs = native.glob([name + ".cc"]) if srcs == None else srcs,
        copts = copts,
        linkstatic = linkstatic,
        deps = deps,
        prelude = "test_prelude",
        common = ["//tests:testing"],
        **kwargs
    )

def seq_py_test(name, src, data = [], **kwargs):
    """A test in Python (unittest) that uses nothing beyond python3 itself; one case for tools/test."""
    native.sh_test(
        name = name,
        srcs = ["//bazel:python_test.sh"],
        args = ["$(location " + src + ")"],
        data = data + [src],
        **kwargs
    )

def seq_proto_library(name, srcs, deps = [], lite = False, visibility = None, testonly = 0):
    """A C++ library with the code that protoc generates for the .proto files in `srcs`.

    A file a/b.proto, imported as "a/b.proto", gives "a/b.pb.h". The generated files lie in a folder
    of their own for each target, so that a full and a lite library of one .proto can exist beside
    each other (a program must not use both in one file).

    Args:
      name: the C++ library.
      srcs: .proto files of this package.
      deps: seq_proto_library targets whose files are imported (lite ones if this one is lite).
      lite: use the lite runtime: no descriptors, no text format, nothing registered globally, so
        that a plugin can carry its own copy of the generated code.
      visibility: of the library.
      testonly: as everywhere.
    """
    package = native.package_name()
    prefix = package + "/" if package else ""
    folder = "_" + name
    stems = []
    for src in srcs:
        if not src.endswith(".proto") or ":" in src or "/" in src:
            fail("seq_proto_library " + name + ": not a .proto file of this package: " + src)
        stems.append(src[:-len(".proto")])
    headers = [folder + "/" + prefix + stem + ".pb.h" for stem in stems]
    sources = [folder + "/" + prefix + stem + ".pb.cc" for stem in stems]

    # The files themselves and all that they import, for the sandbox.
    native.filegroup(
        name = name + "_protos",
        srcs = srcs + [dep + "_protos" for dep in deps],
        testonly = testonly,
        visibility = visibility,
    )
    native.genrule(
        name = name + "_protoc",
        srcs = srcs + [name + "_protos"],
        outs = headers + sources,
        cmd = "protoc --proto_path=. --cpp_out=%s$(RULEDIR)/%s %s" % (
            "lite:" if lite else "",
            folder,
            " ".join(["$(location " + src + ")" for src in srcs]),
        ),
        message = "Generating protobuf code for //" + package + ":" + name,
        testonly = testonly,
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = sources,
        hdrs = headers,
        # Generated code is not ours to clean of warnings.
        copts = ["-w"],
        includes = [folder],
        linkstatic = 1,
        testonly = testonly,
        visibility = visibility,
        deps = deps + ["//bazel:protobuf_lite" if lite else "//bazel:protobuf"],
    )
