"""Link lists of installed libraries, as pkg-config tells them: they differ from release to release."""

_BUILD = """
cc_library(
    name = "{name}",
    linkopts = {options},
    visibility = ["//visibility:public"],
)
"""

def _pkg_config_repository_impl(ctx):
    asked = ctx.attr.libraries
    tool = ctx.which("pkg-config")
    if not tool:
        fail("no pkg-config on the PATH: install Debian's pkgconf")
    found = ctx.execute([tool, "--libs"] + asked)
    if found.return_code:
        fail("pkg-config does not find %s: %s" % (" ".join(asked), found.stderr))

    # The linker drops the parts that a program does not use.
    libraries = [option for option in found.stdout.strip().split(" ") if option]
    options = ["-Wl,--push-state,--as-needed"] + libraries + ["-Wl,--pop-state", "-pthread"]
    ctx.file("BUILD", _BUILD.format(name = ctx.name, options = repr(options)))

    # The archives of the same libraries, for what must not need them when it runs.
    found = ctx.execute([tool, "--libs", "--static"] + asked)
    if found.return_code:
        fail("pkg-config --static does not find %s: %s" % (" ".join(asked), found.stderr))
    own = "-l" + asked[0].split("_")[0]
    static = [option for option in found.stdout.strip().split(" ") if option.startswith(own)]
    ctx.file("static.bzl", "STATIC = " + repr(static) + "\n")

pkg_config_repository = repository_rule(
    implementation = _pkg_config_repository_impl,
    attrs = {"libraries": attr.string_list(mandatory = True)},
    environ = ["PATH", "PKG_CONFIG_PATH"],
    local = True,
)
