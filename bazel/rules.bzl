"""The rules that every BUILD file here uses: Bazel's C++ rules with our warnings, and protobuf."""

# -Wmissing-field-initializers (in -Wextra) would forbid `Options{.units = 8}`, which sets the one
# field that differs from its default.
_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-missing-field-initializers",
]

def seq_cc_library(name, copts = [], linkstatic = 1, **kwargs):
    """A cc_library with our warnings."""
    native.cc_library(name = name, copts = _COPTS + copts, linkstatic = linkstatic, **kwargs)

def seq_cc_binary(name, copts = [], **kwargs):
    """A cc_binary with our warnings; a plugin with linkshared = 1."""
    native.cc_binary(name = name, copts = _COPTS + copts, **kwargs)

def seq_cc_test(name, copts = [], linkstatic = 1, **kwargs):
    """A cc_test with our warnings.

    Our own libraries are linked in statically: a small test costs one short link, and no shared
    object is made for each library. Give timeout = "long" to what takes more than a minute or so:
    sanitizers and busy machines are several times slower.
    """
    native.cc_test(name = name, copts = _COPTS + copts, linkstatic = linkstatic, **kwargs)

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
