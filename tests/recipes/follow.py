"""Follows docs/recipes.md word for word in a copy of the tree.

usage: follow.py RECIPES.md TREE [--compile [FLAG...] | --run]

Blocks of code are the steps: after ``` stand a language and a file. A new file is written (it must not
be there), `diff FILE` is applied (its lines without + must be there once), `sh` is for --run. With
--compile every file that was written or changed is then compiled, with FLAGs (where generated headers
are), without building what it links; with --run the commands run in TREE. TREE is changed: give a copy.
Exit status 1 naming the first step that cannot be followed.
"""

import os
import re
import subprocess
import sys

_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMPILE = ["g++", "-std=c++20", "-I.", "-Wall", "-Wextra", "-Wno-missing-field-initializers",
            "-fsyntax-only"]


class RecipeError(Exception):
    """The step cannot be followed; the message names it."""


def steps(text):
    """Yields (recipe, language, file or "", content) for each block, in order."""
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        name = part.split("\n", 1)[0]
        for block in _BLOCK.finditer(part):
            yield name, block[1], block[2] or "", block[3]


def changed_text(text, diff):
    """`text` with the diff applied; RecipeError if its place is not there exactly once."""
    lines = diff.splitlines(True)
    if any(line[:1] not in " +-" for line in lines):
        raise RecipeError("a line begins neither with a blank nor + nor -")
    before = [line[1:] for line in lines if line[0] != "+"]
    after = [line[1:] for line in lines if line[0] != "-"]
    old = text.splitlines(True)
    places = [i for i in range(len(old)) if before and old[i:i + len(before)] == before]
    if len(places) != 1:
        raise RecipeError("its place is there %d times, not once:\n%s" % (len(places),
                                                                          "".join(before)))
    return "".join(old[:places[0]] + after + old[places[0] + len(before):])


def write_step(language, file, content, tree):
    path = os.path.join(tree, file)
    if language == "diff":
        if not os.path.exists(path):
            raise RecipeError("there is no such file")
        with open(path, encoding="utf-8") as old:
            content = changed_text(old.read(), content)
    elif os.path.exists(path):
        raise RecipeError("the file is there already")
    with open(path, "w", encoding="utf-8") as new:
        new.write(content)


def follow(text, tree, mode, flags=(), say=print):
    """Follows all recipes; returns how many there were."""
    recipes, touched = [], {}
    for name, language, file, content in steps(text):
        if name not in recipes:
            recipes.append(name)
        try:
            if file:
                write_step(language, file, content, tree)
                touched[file] = name
        except RecipeError as error:
            raise RecipeError("%s: %s: %s" % (name, file, error)) from error
    commands = [(name, content) for name, language, file, content in steps(text)
                if language == "sh"] if mode == "--run" else []
    if mode == "--compile":
        commands = [(name, " ".join([*_COMPILE, *flags, file])) for file, name in touched.items()
                    if file.endswith(".cc")]
    for name, command in commands:
        say("%s: %s" % (name, command.strip()))
        if subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=tree, check=False).returncode:
            raise RecipeError("%s: failed: %s" % (name, command))
    return len(recipes)


def main(argv):
    with open(argv[0], encoding="utf-8") as file:
        text = file.read()
    try:
        count = follow(text, argv[1], argv[2] if len(argv) > 2 else "", argv[3:])
    except RecipeError as error:
        print("recipes: %s" % error)
        return 1
    print("%d recipes followed" % count)
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
