"""Libraries to be installed, made of everything that targets need."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _needs(ctx):
    """The static libraries of ctx.attr.deps, dependents first, and their flags."""
    linker_inputs = depset(
        transitive = [dep[CcInfo].linking_context.linker_inputs for dep in ctx.attr.deps],
        order = "topological",
    ).to_list()
    libraries = [library for linked in linker_inputs for library in linked.libraries]
    archives = [library.pic_static_library or library.static_library for library in libraries]
    flags = [flag for linked in linker_inputs for flag in linked.user_link_flags]
    whole = [
        library.pic_static_library or library.static_library
        for library in libraries
        if library.alwayslink
    ]
    return struct(archives = archives, flags = flags, whole = whole)

def _shared_impl(ctx):
    needs = _needs(ctx)
    out = ctx.actions.declare_file(ctx.attr.soname)
    ctx.actions.run_shell(
        command = """
            compiler=$1 out=$2 exports=$3; shift 3
            exec "$compiler" -shared -o "$out" "-Wl,--version-script=$exports" "$@"
        """,
        arguments = [
            find_cpp_toolchain(ctx).compiler_executable,
            out.path,
            ctx.file.exports.path,
            "-fuse-ld=bfd",
            "-Wl,-soname," + ctx.attr.soname,
            "-Wl,-z,defs",
            "-Wl,--whole-archive",
        ] + [archive.path for archive in needs.archives] + [
            "-Wl,--no-whole-archive",
        ] + needs.flags + ["-lstdc++", "-lm"],
        inputs = needs.archives + [ctx.file.exports],
        outputs = [out],
        mnemonic = "SharedLibrary",
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([out]))]

seq_shared_library = rule(
    doc = "A shared library of all that `deps` are made of; what `exports` names is visible.",
    implementation = _shared_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "exports": attr.label(allow_single_file = [".lds"], mandatory = True),
        "soname": attr.string(mandatory = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

def _own_libraries(targets):
    return [
        library
        for target in targets
        for linked in target[CcInfo].linking_context.linker_inputs.to_list()
        if linked.owner == target.label
        for library in linked.libraries
    ]

def _one_object_impl(ctx):
    needs = _needs(ctx)
    members = [
        object
        for library in _own_libraries(ctx.attr.members)
        for object in library.pic_objects or library.objects
    ]
    replaced = [
        library.pic_static_library or library.static_library
        for library in _own_libraries(ctx.attr.replaced)
    ]
    rest = [archive for archive in needs.archives if archive not in needs.whole + replaced]
    out = ctx.actions.declare_file("lib" + ctx.label.name + ".a")
    ctx.actions.run_shell(
        # Hidden names would still clash with others of a static program: they become local. Sections
        # stay apart, so that a program's linker can drop those that it does not use.
        command = """
            set -e
            out=$1 compiler=$2 symbols=$3 members=$4; shift 4
            "$compiler" -r -nostdlib -fuse-ld=bfd -o "$out.o" "$@"
            grep -v '^#' "$symbols" >"$out.symbols"
            echo 'seqgraph_part_*' >>"$out.symbols"
            objcopy --wildcard --keep-global-symbols="$out.symbols" --strip-debug "$out.o"
            rm -f "$out"
            ar rcsD "$out" "$out.o" $members
            objcopy --strip-debug "$out"
            rm -f "$out.o" "$out.symbols"
        """,
        arguments = [
                        out.path,
                        find_cpp_toolchain(ctx).compiler_executable,
                        ctx.file.symbols.path,
                        " ".join([member.path for member in members]),
                    ] +
                    ["-Wl,--unique=.%s*" % section for section in _SECTIONS] +
                    ["-Wl,--whole-archive"] + [archive.path for archive in needs.whole] +
                    ["-Wl,--no-whole-archive", "-Wl,-Bstatic,--start-group"] +
                    [archive.path for archive in rest] +
                    ctx.attr.archives + ["-Wl,--end-group"],
        inputs = needs.archives + members + [ctx.file.symbols],
        outputs = [out],
        mnemonic = "OneObject",
        use_default_shell_env = True,
    )
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles([out]))]

# Those of libraries that were compiled without a section for each function would become one.
_SECTIONS = ["text", "rodata", "data", "gcc_except_table"]

seq_one_object_library = rule(
    doc = """A static library with one object of all that `deps` with alwayslink need, in which only the
    names in the file `symbols`, and seqgraph_part_*, are visible. `members`: libraries whose objects
    stand beside it, to be linked where they are asked for. `replaced`: libraries for which others of
    `deps` stand in. `archives`: flags of static libraries that become a part.""",
    implementation = _one_object_impl,
    attrs = {
        "archives": attr.string_list(),
        "deps": attr.label_list(providers = [CcInfo]),
        "members": attr.label_list(providers = [CcInfo]),
        "replaced": attr.label_list(providers = [CcInfo]),
        "symbols": attr.label(allow_single_file = [".txt"], mandatory = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
