"""Checks README.md and the pages of docs/ as a reader finds them.

usage: check_pages.py TREE

README.md has at most 120 lines and 1,300 words; the numbers of its table of speed stand in
docs/benchmarks.md. No relative link leads nowhere: neither the file nor the heading behind a # is
missing. Every page can be reached from README.md by links. Exit status 1 naming each fault.
"""

import os
import re
import sys
import unicodedata

MOST_LINES, MOST_WORDS = 120, 1300

_FENCE = re.compile(r"^(```|~~~)")
_LINK = re.compile(r"(?<!\\)!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
_CODE = re.compile(r"(`+)(?:(?!\1).)*?\1")
_HEADING = re.compile(r"^#{1,6} +(.*?)(?: +#+)? *$")


def prose(text):
    """The lines of a page without its blocks of code."""
    inside = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            inside = not inside
        elif not inside and not line.startswith("    "):
            yield line


def slug(heading):
    """What is behind the # in a link to a heading: lower case, no punctuation, - for a blank."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    kept = [c for c in heading.strip().lower()
            if c in " -_" or unicodedata.category(c)[0] in "LMN"]
    return "".join(kept).replace(" ", "-")


def anchors(text):
    found = {}
    for line in prose(text):
        match = _HEADING.match(line)
        if match:
            name = slug(match[1].replace("`", ""))
            count = found.get(name, 0)
            found[name] = count + 1
            if count:
                found["%s-%d" % (name, count)] = 1
    return set(found)


def links(text):
    """The targets of the links of a page, but for those that leave the tree."""
    for line in prose(text):
        for match in _LINK.finditer(_CODE.sub("``", line)):
            if not re.match(r"[a-z]+:", match[1]):
                yield match[1]


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def pages_of(tree):
    """README.md and all pages below docs/, by their paths in the tree."""
    found = ["README.md"]
    for folder, _, names in os.walk(os.path.join(tree, "docs")):
        found += [os.path.relpath(os.path.join(folder, name), tree)
                  for name in names if name.endswith(".md")]
    return sorted(found)


def check_links(texts, tree):
    """Yields a line for each link that leads nowhere, and each page that nothing leads to."""
    reached = {"README.md"}
    for page, text in texts.items():
        for link in links(text):
            path, _, anchor = link.partition("#")
            target = page if not path else os.path.normpath(os.path.join(os.path.dirname(page), path))
            if target != page:
                reached.add(target)
            if not os.path.exists(os.path.join(tree, target)):
                yield "%s: (%s): there is no %s" % (page, link, target)
            elif anchor and target in texts and anchor not in anchors(texts[target]):
                yield "%s: (%s): %s has no such heading" % (page, link, target)
    for page in texts:
        # Notes are found by their numbers.
        if page not in reached and not page.startswith("docs/design/"):
            yield "%s: no other page leads here" % page


def check_readme(readme, benchmarks):
    lines, words = len(readme.splitlines()), len(readme.split())
    if lines > MOST_LINES:
        yield "README.md: %d lines are more than %d: move something to docs/" % (lines, MOST_LINES)
    if words > MOST_WORDS:
        yield "README.md: %d words are more than %d: move something to docs/" % (words, MOST_WORDS)
    speeds = re.findall(r"\| (\d{1,3}(?:,\d{3})+) (?=\|)", readme.partition("## How fast")[2])
    if not speeds:
        yield "README.md: no numbers below '## How fast': nothing was checked"
    for speed in speeds:
        if not re.search(r"(?<![\d,])%s(?![\d,])" % speed, benchmarks):
            yield "README.md: %s is not in docs/benchmarks.md, with its command" % speed


def check(tree):
    texts = {page: _read(os.path.join(tree, page)) for page in pages_of(tree)}
    return (list(check_readme(texts["README.md"], texts.get("docs/benchmarks.md", ""))) +
            list(check_links(texts, tree)))


def main(argv):
    faults = check(argv[0])
    for fault in faults:
        print("pages: %s" % fault)
    if not faults:
        print("%d pages checked" % len(pages_of(argv[0])))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
