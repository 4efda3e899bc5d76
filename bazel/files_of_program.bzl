"""Files that a program of this tree writes."""

def _files_impl(ctx):
    outs = ctx.outputs.outs
    ctx.actions.run(
        executable = ctx.executable.program,
        arguments = [outs[0].dirname],
        outputs = outs,
        mnemonic = "FilesOfProgram",
    )
    return [DefaultInfo(files = depset(outs), runfiles = ctx.runfiles(files = outs))]

seq_files_of_program = rule(
    doc = """What `program` writes into the folder that is its argument: `outs`, files of one folder. A
    genrule would compile the program, and all below it, a second time for the machine that builds,
    which here is the one that it is for.""",
    implementation = _files_impl,
    attrs = {
        "outs": attr.output_list(mandatory = True),
        "program": attr.label(cfg = "target", executable = True, mandatory = True),
    },
)
