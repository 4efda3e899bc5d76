"""A header that is compiled once and put before every source file (GCC's precompiled header)."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def prelude_copts(name):
    """What a compilation gets besides its own flags to read the prelude //bazel:NAME.

    The file is that of the header beside the compiled one, found through -iquote; should GCC refuse
    the compiled one (for flags that differ), it says so and reads the text. Without -fpch-deps the
    compilation would not count as one that depends on the prelude.

    Args:
      name: of the prelude, whose header is NAME.h.
    """
    return [
        "-include",
        "bazel/%s/%s.h" % (name, name),
        "-fpch-deps",
        "-Winvalid-pch",
        "-Wno-error=invalid-pch",
    ]

def without_prelude(copts):
    """The flags without those of prelude_copts."""
    return [
        flag
        for flag in copts
        if flag not in ("-include", "-fpch-deps") and not flag.startswith("bazel/")
    ]

def compile_header(ctx, name, header, includes, copts, pic):
    """Compiles a header alone, so that others can begin with it.

    Args:
      ctx: of a rule with _cc_toolchain and the fragment cpp.
      name: of what is made: NAME/NAME.h, a link to the header, and NAME.h.gch beside it.
      header: the file.
      includes: a depset of what it includes.
      copts: flags besides those of every C++ source. A compiled header fits no others.
      pic: whether it is for position-independent code.

    Returns:
      The link and the compiled header.
    """
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features + ["module_maps"],
    )
    link = ctx.actions.declare_file("%s/%s.h" % (name, name))
    ctx.actions.symlink(output = link, target_file = header)
    compiled = ctx.actions.declare_file(link.basename + ".gch", sibling = link)
    variables = cc_common.create_compile_variables(
        cc_toolchain = toolchain,
        feature_configuration = features,
        source_file = link.path,
        output_file = compiled.path,
        quote_include_directories = depset(["."]),
        user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + copts + ["-MD", "-MF", "/dev/null", "-xc++-header"],
        use_pic = pic,
    )
    action = "c++-compile"
    ctx.actions.run(
        executable = cc_common.get_tool_for_action(
            feature_configuration = features,
            action_name = action,
        ),
        arguments = cc_common.get_memory_inefficient_command_line(
            feature_configuration = features,
            action_name = action,
            variables = variables,
        ),
        env = {"PATH": "/bin:/usr/bin:/usr/local/bin", "PWD": "/proc/self/cwd"},
        inputs = depset([link, header], transitive = [includes, toolchain.all_files]),
        outputs = [compiled],
        mnemonic = "CppPrelude",
        progress_message = "Compiling %s" % header.short_path,
    )
    return link, compiled

def _prelude_impl(ctx):
    header, compiled = compile_header(
        ctx,
        ctx.label.name,
        ctx.file.header,
        depset(ctx.files.includes),
        ctx.attr.copts,
        ctx.attr.pic,
    )
    context = cc_common.create_compilation_context(headers = depset([header, compiled] + ctx.files.includes))
    return [CcInfo(compilation_context = context), DefaultInfo(files = depset([compiled]))]

seq_prelude = rule(
    implementation = _prelude_impl,
    attrs = {
        "copts": attr.string_list(),
        "header": attr.label(allow_single_file = [".h"], mandatory = True),
        "includes": attr.label_list(allow_files = [".h"]),
        "pic": attr.bool(default = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)
