"""A check that every header compiles alone: without what others include before it, or the prelude.

    bazel build --aspects=//bazel:headers.bzl%headers_alone --output_groups=headers //...

Not checked are *-inl.h, which are parts of a source file, and headers of C.

What many headers include is compiled once: a header that includes one of seq_compiled_headers begins
with that one, which changes nothing for it but the order. Of those that it includes, it is the last.
"""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load("//bazel:prelude.bzl", "compile_header", "without_prelude")

CompiledHeadersInfo = provider(
    "Headers that are compiled once for all that include them.",
    fields = {
        "files": "depset of what a compiler that reads them needs",
        "headers": "list of pairs: path in the repository, path of what to put in front",
    },
)

# Of each header: no warnings, and what no other flag of a library changes.
_FLAGS = ["-w"]

def _compiled_headers_impl(ctx):
    known = depset(transitive = [dep[CcInfo].compilation_context.headers for dep in ctx.attr.deps])
    by_path = {file.short_path: file for file in known.to_list()}
    files, headers = [], []
    for path in ctx.attr.headers:
        name = path.replace("/", "_").replace(".h", "")
        link, compiled = compile_header(ctx, name, by_path[path], known, _FLAGS, pic = False)
        files += [link, compiled]
        headers.append((path, link.path))
    return [CompiledHeadersInfo(files = depset(files), headers = headers)]

seq_compiled_headers = rule(
    implementation = _compiled_headers_impl,
    attrs = {
        "deps": attr.label_list(providers = [CcInfo]),
        "headers": attr.string_list(mandatory = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

def _sources(ctx):
    return [
        file
        for attribute in ("hdrs", "srcs")
        for label in getattr(ctx.rule.attr, attribute, [])
        for file in label.files.to_list()
        if file.is_source
    ]

def _headers_alone_impl(target, ctx):
    sources = _sources(ctx) if CcInfo in target and not target.label.workspace_name else []
    headers = [file for file in sources if file.extension == "h" and not file.basename.endswith("-inl.h")]
    if not headers or [file for file in sources if file.extension == "c"]:
        return []
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        unsupported_features = ["module_maps"],
    )
    context = target[CcInfo].compilation_context

    # Flags of the library's own for optimizing say nothing about what compiles, and no compiled header
    # fits them.
    own = [flag for flag in without_prelude(ctx.rule.attr.copts) if not flag.startswith(("-O", "-f"))]
    flags = cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = "c++-compile",
        variables = cc_common.create_compile_variables(
            cc_toolchain = toolchain,
            feature_configuration = features,
            user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + own +
                                 _FLAGS + ["-fsyntax-only", "-xc++"],
            include_directories = context.includes,
            quote_include_directories = context.quote_includes,
            system_include_directories = context.system_includes,
            preprocessor_defines = context.defines,
        ),
    )
    compiled = ctx.attr._compiled[CompiledHeadersInfo]
    checked = ctx.actions.declare_file(target.label.name + ".headers_alone")
    ctx.actions.run(
        executable = "/usr/bin/python3",
        arguments = [ctx.file._check.path, "--checked=" + checked.path] +
                    ["--compiled=%s=%s" % pair for pair in compiled.headers] +
                    ["--header=" + header.path for header in headers] +
                    ["--", toolchain.compiler_executable] + flags,
        inputs = depset(
            sources + [ctx.file._check],
            transitive = [context.headers, compiled.files, toolchain.all_files],
        ),
        outputs = [checked],
        env = {"PATH": "/bin:/usr/bin"},
        mnemonic = "CppHeadersAlone",
        progress_message = "Compiling each header of %s alone" % target.label,
    )
    return [OutputGroupInfo(headers = depset([checked]))]

headers_alone = aspect(
    implementation = _headers_alone_impl,
    attrs = {
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
        "_check": attr.label(default = "//tests/headers_alone:check.py", allow_single_file = True),
        "_compiled": attr.label(default = "//tests/headers_alone:compiled"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
