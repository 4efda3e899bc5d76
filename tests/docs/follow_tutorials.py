"""Follows pages of docs/ as a reader does: runs their commands and compares what they print.

usage: follow_tutorials.py PAGE... [--sources=FOLDER] [--bin=FOLDER] [--data=FILE...]

Blocks of code that have a name behind the language are held to the truth:

    ```sh NAME            is run (bash -e), all of a page in one new folder, in order
    ```text NAME          are lines of what the command of that name printed, in order; "..." stands for
                          any lines, at the end of a line for the rest of it
    ```text NAME like     the same, but numbers may be others
    ```text NAME real     only looked at where the published reviews are; "real like" goes too
    ```LANGUAGE FILE      is text of a source in --sources, but for white space; "..." in a line of its own
                          stands for any lines

--bin is put before the PATH; each --data is linked into the folder. Exit status 1 naming each fault.
"""

import os
import re
import subprocess
import sys
import tempfile

_BLOCK = re.compile(r"^```(\w+) ([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?")
_ARCHIVE = "aclImdb_v1.tar.gz"


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Fault(Exception):
    """What a page says is not so."""


def blocks(text):
    """(language, name, further words, content) of each block with a name."""
    return [(m[1], m[2].split()[0], m[2].split()[1:], m[3]) for m in _BLOCK.finditer(text)]


def _rough(line, like):
    """What is compared of a line."""
    line = re.sub(r"[ \t]+", " ", line.strip())
    # Bars of a curve are numbers too.
    return re.sub(r" ?[#█▇▆▅▄▃▂▁]+", "#", _NUMBER.sub("#", line)) if like else line


def _fits(wanted, got, like):
    if wanted.endswith("..."):
        return _rough(got, like).startswith(_rough(wanted[:-3], like))
    return _rough(wanted, like) == _rough(got, like)


def _parts(wanted):
    return re.split(r"^\s*(?://\s*)?\.\.\.\s*$", wanted.strip("\n"), flags=re.MULTILINE)


def holds(wanted, got, like=False):
    """Whether the lines `wanted` stand in `got`, one behind the other but for "..."."""
    lines = got.split("\n")
    at = 0
    for part in _parts(wanted):
        part = [line for line in part.strip("\n").split("\n") if part.strip()]
        for begin in range(at, len(lines) - len(part) + 1):
            if all(_fits(w, g, like) for w, g in zip(part, lines[begin:])):
                at = begin + len(part)
                break
        else:
            return False
    return True


def quotes(wanted, source):
    """Whether the parts of `wanted` stand in `source`, one behind the other, but for white space."""
    source, at = "".join(source.split()), 0
    for part in _parts(wanted):
        part = "".join(part.split())
        at = source.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def _end(output):
    return "\n".join(output.split("\n")[-40:])


def run(command, folder, bin_folder):
    """Its exit status, and what it said on standard error and on standard output."""
    environment = {"PATH": bin_folder + ":/usr/bin:/bin", "HOME": folder, "LANG": "C.UTF-8"}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    return done.returncode, (done.stderr + done.stdout).decode("utf-8", "replace")


def follow(text, sources, bin_folder, data, real):
    """Yields a line for each fault of a page; Fault where a command fails."""
    outputs = {}
    found = blocks(text)
    with tempfile.TemporaryDirectory() as folder:
        for path in data:
            os.symlink(os.path.abspath(path), os.path.join(folder, os.path.basename(path)))
        for language, name, _, content in found:
            if language != "sh":
                continue
            status, output = run(content, folder, bin_folder)
            if status:
                raise Fault("%s: exit status %d:\n%s\n%s" % (name, status, content, _end(output)))
            outputs[name] = outputs.get(name, "") + output
    for language, name, words, content in found:
        if language == "sh":
            continue
        if language != "text":
            source = os.path.join(sources, name)
            if not os.path.exists(source):
                yield "there is no source %s" % source
            elif not quotes(content, _read(source)):
                yield "%s does not have these lines:\n%s" % (name, content)
        elif name not in outputs:
            yield "no command is called %s" % name
        elif (real or "real" not in words) and not holds(content, outputs[name], "like" in words):
            yield "%s does not print\n%sbut\n%s" % (name, content, _end(outputs[name]))


def main(argv):
    options = {"--sources": [], "--bin": [], "--data": []}
    pages = []
    for argument in argv:
        name, is_option, value = argument.partition("=")
        if is_option and name in options:
            options[name].append(value)
        else:
            pages.append(argument)
    faults = 0
    real = os.environ.get("SEQGRAPH_SHARED", "") + "/imdb/" + _ARCHIVE in options["--data"]
    for page in pages:
        text = _read(page)
        try:
            wrong = list(follow(text, options["--sources"][0], options["--bin"][0], options["--data"],
                                real))
        except Fault as fault:
            wrong = [str(fault)]
        if not blocks(text):
            wrong.append("nothing in it can be checked")
        for each in wrong:
            print("%s: %s" % (page, each))
        faults += len(wrong)
        if not wrong:
            print("%s: %d blocks are as it says" % (page, len(blocks(text))))
    return 1 if faults or not pages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
