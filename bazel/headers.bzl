"""A check that every header compiles alone: without what others include before it, or the prelude.

    bazel build --aspects=//bazel:headers.bzl%headers_alone --output_groups=headers //...

Not checked are *-inl.h, which are parts of a source file, and headers of C.
"""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")
load("//bazel:prelude.bzl", "without_prelude")

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
    flags = cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = "c++-compile",
        variables = cc_common.create_compile_variables(
            cc_toolchain = toolchain,
            feature_configuration = features,
            user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts +
                                 without_prelude(ctx.rule.attr.copts) +
                                 ["-fsyntax-only", "-w", "-xc++"],
            include_directories = context.includes,
            quote_include_directories = context.quote_includes,
            system_include_directories = context.system_includes,
            preprocessor_defines = context.defines,
        ),
    )
    checked = ctx.actions.declare_file(target.label.name + ".headers_alone")
    ctx.actions.run_shell(
        command = """
            checked=$1; shift
            for header in %s; do "$@" "$header" || exit; done
            : >"$checked"
        """ % " ".join([header.path for header in headers]),
        arguments = [checked.path, toolchain.compiler_executable] + flags,
        inputs = depset(sources, transitive = [context.headers, toolchain.all_files]),
        outputs = [checked],
        mnemonic = "CppHeadersAlone",
        progress_message = "Compiling each header of %s alone" % target.label,
    )
    return [OutputGroupInfo(headers = depset([checked]))]

headers_alone = aspect(
    implementation = _headers_alone_impl,
    attrs = {
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
