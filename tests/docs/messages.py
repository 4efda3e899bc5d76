"""Collects what the program can say when something is wrong, and holds it against messages.txt.

usage: messages.py TREE [--write]

A message is what an error is made with (InvalidArgument(...), absl::NotFoundError(...)), a note
("seqgraph: note: ...", notes.push_back(...)) or how a flag is misused (Flags::Check); what is not literal
stands as {}. A message that is not in messages.txt is to be read once as its user would: does it say
what is wrong, where, and what to do? Then --write takes it in. Exit status 1 if the two differ.
"""

import os
import re
import subprocess
import sys

_KINDS = ("Aborted|AlreadyExists|Cancelled|DataLoss|DeadlineExceeded|FailedPrecondition|Internal|"
          "InvalidArgument|NotFound|OutOfRange|PermissionDenied|ResourceExhausted|Unavailable|"
          "Unimplemented")
_MAKER = re.compile(r"\b(?:(%s)(?:Error)?|(\w*[nN]otes?_?(?:\.|->)push_back)|(?:Say)?(Note))\(" % _KINDS)
_PRINTED = re.compile(r"\"seqgraph: note: ")
_STRING = re.compile(r"\"((?:[^\"\\]|\\.)*)\"")
_FOLDERS = ("backends", "base", "data", "distributed", "graph", "layers", "ops", "optimizers", "runtime",
            "runtime_library", "serialization", "stream", "tools", "training")


def without_comments(text):
    """The source without comments; strings stay as they are."""
    pattern = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)'|//[^\n]*|/\*.*?\*/", re.DOTALL)
    return pattern.sub(lambda m: m[0] if m[0][0] in "\"'" else " ", text)


def arguments(text, begin):
    """The top-level arguments of a call whose "(" is in front of `begin`; None if it does not end."""
    depth, parts, last, i = 0, [], begin, begin
    while i < len(text):
        c = text[i]
        if c in "\"'":
            end = re.compile(r"(?:[^%s\\]|\\.)*%s" % (c, c), re.DOTALL).match(text, i + 1)
            if not end:
                return None
            i = end.end()
            continue
        if c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                parts.append(text[last:i])
                return parts
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[last:i])
            last = i + 1
        i += 1
    return None


def template(argument):
    """An argument as text: its literals, and {} for what is computed."""
    argument = argument.strip()
    if re.fullmatch(r"(?:\"(?:[^\"\\]|\\.)*\"\s*)+", argument, re.DOTALL):
        return "".join(_STRING.findall(argument))
    call = re.match(r"(?:absl::)?(StrCat|StrFormat)\(", argument)
    if call and argument.endswith(")"):
        inner = arguments(argument, call.end())
        if inner and call[1] == "StrCat":
            return "".join(template(each) for each in inner)
        if inner:
            return re.sub(r"%[-+0-9.*]*l*[a-zA-Z]", "{}", template(inner[0])).replace("%%", "%")
    return "{}"


def messages_of(text):
    """The messages of a source, as "KIND: text"."""
    text = without_comments(text)
    for match in _MAKER.finditer(text):
        found = arguments(text, match.end())
        kind = match[1] or "note"
        message = "".join(template(each) for each in found or [])
        message = re.sub(r"(?:\{\}\s*){2,}", "{}", message)
        if _STRING.search("\"%s\"" % message) and re.search(r"[a-z]", message.replace("{}", "")):
            yield "%s: %s" % (kind, message)
    for match in _PRINTED.finditer(text):
        literal = re.compile(r"(?:\"(?:[^\"\\]|\\.)*\"\s*)+", re.DOTALL).match(text, match.start())
        message = "".join(_STRING.findall(literal[0]))[len("seqgraph: note: "):]
        message = re.sub(r"%[-+0-9.*]*l*[a-zA-Z]", "{}", message).replace("\\n", "")
        if re.search(r"[a-z]", message.replace("{}", "")):
            yield "note: %s" % message


def collect(tree):
    """All messages of the tree, a line each behind its file, sorted."""
    listed = subprocess.run(
        ["git", "-C", tree, "-c", "safe.directory=*", "ls-files", "*.cc", "*.h"], check=True,
        stdout=subprocess.PIPE, universal_newlines=True).stdout.split()
    lines = set()
    for path in listed:
        if path.split("/")[0] not in _FOLDERS or re.search(r"(?:_test\.cc|/testing/)", path):
            continue
        with open(os.path.join(tree, path), encoding="utf-8") as file:
            lines |= {("%s: %s" % (path, message)).rstrip() for message in messages_of(file.read())}
    return sorted(lines)


def main(tree, *options):
    golden = os.path.join(tree, "tests", "docs", "messages.txt")
    now = collect(tree)
    if "--write" in options:
        with open(golden, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in now))
        print("%s: %d messages" % (golden, len(now)))
        return 0
    with open(golden, encoding="utf-8") as file:
        before = set(file.read().splitlines())
    new, gone = [line for line in now if line not in before], before - set(now)
    for line in new:
        print("messages: new: %s" % line)
    for line in sorted(gone):
        print("messages: gone: %s" % line)
    if new or gone:
        print("messages: read the new ones as a user would (what, where, what to do), then run: "
              "python3 tests/docs/messages.py . --write")
    else:
        print("%d messages are known" % len(now))
    return 1 if new or gone or not now else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
