"""Flags that only some compilers know, or need."""

# What a prelude was compiled with at -O2 has to be said at -O1, or GCC from 13 on reads its text.
_WANTED = ["-munroll-only-small-loops", "-mvzeroupper"]

def _compiler_repository_impl(ctx):
    compiler = ctx.os.environ.get("CC", "gcc")
    known = []
    for flag in _WANTED:
        tried = ctx.execute([compiler, flag, "-Werror", "-fsyntax-only", "-xc++", "/dev/null"])
        known += [flag] if tried.return_code == 0 else []
    ctx.file("BUILD", "")

    # One alone may be known to an older compiler, which needs neither.
    ctx.file("flags.bzl", "PRELUDE_AT_O1 = %r\n" % (known if len(known) == len(_WANTED) else []))

compiler_repository = repository_rule(
    implementation = _compiler_repository_impl,
    environ = ["CC", "PATH"],
    local = True,
)
