"""Makes the site: usage: make_site.py TREE FOLDER (tools/docs/site finds what it needs).

README.md is its first page, docs/ the others. Sources that pages link to lie in it as text. The search
is a script over an index that is a script too: pages that are opened as files may load nothing else.
"""

import html.parser
import json
import logging
import os
import re
import shutil
import sys
import tempfile
import urllib.parse

from tests.docs import check_pages

_HERE = os.path.dirname(os.path.abspath(__file__))
_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_FENCE = re.compile(r"^```(\w+) .*$", re.MULTILINE)
# Pages and folders in the order of the side bar; what is in none of them goes to the last one.
_SECTIONS = (
    ("Tutorials", ("tutorial/index.md", "tutorial/forecasting.md", "tutorial/keras_model.md",
                   "tutorial/stream_from_c.md", "tutorial/ko/index.md", "tutorial/")),
    ("Guides", ("guides/", "using_the_library.md", "streaming.md")),
    ("Help", ("faq.md", "errors.md", "platforms.md")),
    ("Commands", ("commands/index.md", "commands/")),
    ("Reference", ("layers.md", "ops.md", "optimizers.md", "benchmarks.md")),
    ("Inside", ("architecture.md", "recipes.md", "writing_a_backend.md", "")),
    ("Design notes", ("design/",)),
)


class SiteError(Exception):
    """The site cannot be made; the message says why."""


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def page_of(path):
    """Where a file of the tree lies in the site's source; sources are shown as text."""
    if path == "README.md":
        return "index.md"
    if path.startswith("docs/"):
        return path[len("docs/"):]
    return "source/%s.txt" % path


def staged(text, path, tree, stage):
    """A page as MkDocs is to have it: links that hold in the site, blocks with a language alone."""
    def link(match):
        target, hash_sign, anchor = match[2].partition("#")
        if not target or re.match(r"[a-z]+:", match[2]):
            return match[0]
        file = os.path.normpath(os.path.join(os.path.dirname(path), target))
        source = os.path.join(tree, file)
        if os.path.isdir(source) or not os.path.exists(source):
            raise SiteError("%s links to %s, which is no file" % (path, target))
        place = page_of(file)
        if place.startswith("source/"):
            os.makedirs(os.path.dirname(os.path.join(stage, place)), exist_ok=True)
            shutil.copyfile(source, os.path.join(stage, place))
        return match[1] + os.path.relpath(place, os.path.dirname(page_of(path)) or ".") + hash_sign + \
            anchor + match[3]
    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(_FENCE.sub(r"```\1", part) if i % 2 else _LINK.sub(link, part)
                   for i, part in enumerate(parts))


def navigation(pages):
    """The side bar of these pages, each once."""
    left = [page for page in pages if page != "index.md"]
    nav = [{"Seqgraph": "index.md"}]
    sections = []
    for title, wanted in _SECTIONS:
        found = []
        for name in wanted:
            if name.endswith("/"):
                found += [page for page in left if page.startswith(name) and page not in found]
            elif name in left:
                found.append(name)
        left = [page for page in left if page not in found]
        sections.append((title, found, "" in wanted))
    for title, found, takes_rest in sections:
        found += left if takes_rest else []
        if found:
            nav.append({title: found})
    return nav


def build(tree, folder):
    """MkDocs, strictly: what it warns of is an error."""
    from mkdocs.commands import build as mkdocs_build  # here, for tests that have no MkDocs
    from mkdocs.config import load_config
    with tempfile.TemporaryDirectory() as stage:
        pages = check_pages.pages_of(tree)
        for path in pages:
            _write(os.path.join(stage, page_of(path)),
                   staged(_read(os.path.join(tree, path)), path, tree, stage))
        images = os.path.join(tree, "docs", "images")
        if os.path.isdir(images):
            shutil.copytree(images, os.path.join(stage, "images"), dirs_exist_ok=True)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as empty:
            empty.write("site_name: Seqgraph\n")
            empty.flush()
            config = load_config(
                config_file=empty.name, site_name="Seqgraph", docs_dir=stage, site_dir=folder,
                use_directory_urls=False, strict=True, plugins=["search"],
                theme={"name": None, "custom_dir": os.path.join(_HERE, "theme")},
                nav=navigation([page_of(path) for path in pages]),
                markdown_extensions=["tables", "fenced_code", {
                    "toc": {"slugify": lambda text, separator: check_pages.slug(text)}}])
            mkdocs_build.build(config)


def make_search(folder):
    """Puts our search in the place of MkDocs's, which asks a server for its index."""
    place = os.path.join(folder, "search")
    index = json.loads(_read(os.path.join(place, "search_index.json")))
    entries, page = [], ""
    for entry in index["docs"]:
        # A page comes whole, then its headings, of which the first is its title.
        if "#" in entry["location"] and entry["title"] == page:
            continue
        page = page if "#" in entry["location"] else entry["title"]
        entries.append([entry["location"], entry["title"], entry["text"]])
    for name in os.listdir(place):
        os.remove(os.path.join(place, name))
    _write(os.path.join(place, "search_index.js"),
           "window.searchIndex = %s;\n" % json.dumps(entries, ensure_ascii=False))
    shutil.copyfile(os.path.join(_HERE, "site_search.js"), os.path.join(place, "main.js"))
    return len(entries)


class _Page(html.parser.HTMLParser):
    """What a page has to link to, and what it links to and loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[name] for name in ("id", "name") if attrs.get(name)}
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        for name in ("src", "href"):
            if tag in ("script", "img", "link", "iframe") and attrs.get(name):
                self.loads.append(attrs[name])


def check_site(folder):
    """Yields a line for each link or file of a page that is not there, and each from elsewhere."""
    pages = {}
    for place, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".html"):
                path = os.path.join(place, name)
                pages[os.path.relpath(path, folder)] = _Page(_read(path))
    for page, content in sorted(pages.items()):
        if page == "404.html":  # for servers, which know other paths
            continue
        for url in content.links + content.loads:
            parts = urllib.parse.urlsplit(url)
            if parts.scheme or parts.netloc:
                if url in content.loads and parts.scheme != "data":
                    yield "%s loads %s from a network" % (page, url)
                continue
            path = urllib.parse.unquote(parts.path)
            target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
            if not os.path.exists(os.path.join(folder, target)):
                yield "%s: there is no %s" % (page, url)
            elif parts.fragment and target in pages and \
                    urllib.parse.unquote(parts.fragment) not in pages[target].ids:
                yield "%s: %s has no such place" % (page, url)


def main(tree, folder):
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    if os.path.exists(folder) and os.listdir(folder) and \
            not os.path.exists(os.path.join(folder, "search", "search_index.js")):
        raise SiteError("%s holds something else than a site; name another folder" % folder)
    build(tree, os.path.abspath(folder))
    entries = make_search(folder)
    faults = list(check_site(folder))
    for fault in faults:
        print("site: %s" % fault, file=sys.stderr)
    if not faults:
        print("%s/index.html: open it in a browser; %d places to search" % (folder, entries))
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except SiteError as error:
        sys.exit("site: %s" % error)
