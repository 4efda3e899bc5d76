"""Compiles each header as if it were a source file (//bazel:headers.bzl%headers_alone).

usage: check.py --checked=FILE [--compiled=PATH=FRONT]... --header=PATH... -- COMPILER FLAG...

FILE is made if all compile. A header that includes PATH, the last such one, gets FRONT before it, beside
which the compiled header lies.
"""

import argparse
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def included(header):
    """Paths of the repository's files that a header includes, or what it includes does."""
    seen, waiting = set(), [pathlib.Path(header)]
    while waiting:
        text = waiting.pop().read_text(encoding="utf-8")
        for name in INCLUDE.findall(text):
            if name not in seen and pathlib.Path(name).is_file():
                seen.add(name)
                waiting.append(pathlib.Path(name))
    return seen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checked", required=True)
    parser.add_argument("--compiled", action="append", default=[])
    parser.add_argument("--header", action="append", required=True)
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    fronts = [pair.split("=", 1) for pair in options.compiled]
    failed = False
    for header in options.header:
        names = included(header) - {header}
        front = [file for path, file in fronts if path in names][-1:]
        command = options.command + [flag for file in front for flag in ("-include", file)] + [header]
        failed |= subprocess.run(command, check=False).returncode != 0
    if failed:
        return 1
    pathlib.Path(options.checked).touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
