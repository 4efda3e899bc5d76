"""Tests what makes the site around MkDocs: links, side bar, search, and what its check must name."""

import json
import os
import tempfile
import unittest

from tools.docs import make_site


def write(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


class SiteTest(unittest.TestCase):

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.folder = self._folder.name

    def tearDown(self):
        self._folder.cleanup()

    def test_links_hold_where_the_pages_lie(self):
        tree, stage = os.path.join(self.folder, "tree"), os.path.join(self.folder, "stage")
        for name in ("README.md", "docs/a.md", "docs/sub/b.md", "examples/x.cc"):
            write(tree, name, "text of %s\n" % name)

        def staged(page, text):
            return make_site.staged(text, page, tree, stage)
        self.assertEqual(staged("README.md", "[a](docs/a.md#part) [x](https://example.org/)"),
                         "[a](a.md#part) [x](https://example.org/)")
        self.assertEqual(staged("docs/sub/b.md", "[r](../../README.md) [a](../a.md) [here](#here)"),
                         "[r](../index.md) [a](../a.md) [here](#here)")
        self.assertEqual(staged("docs/a.md", "[s](../examples/x.cc)"), "[s](source/examples/x.cc.txt)")
        self.assertEqual(read(stage, "source/examples/x.cc.txt"), "text of examples/x.cc\n")
        self.assertEqual(staged("docs/a.md", "```sh name like\n[a](b)\n```\n"), "```sh\n[a](b)\n```\n")
        with self.assertRaises(make_site.SiteError):
            staged("docs/a.md", "[s](gone.md)")

    def test_each_page_is_in_the_side_bar_once(self):
        pages = ["index.md", "commands/index.md", "commands/a.md", "new.md", "faq.md",
                 "new_folder/x.md", "design/0001.md"]
        nav = make_site.navigation(pages)
        listed = [page for section in nav for entry in section.values()
                  for page in (entry if isinstance(entry, list) else [entry])]
        self.assertEqual(sorted(listed), sorted(pages))
        self.assertIn({"Commands": ["commands/index.md", "commands/a.md"]}, nav)
        self.assertIn({"Inside": ["new.md", "new_folder/x.md"]}, nav)

    def test_the_search_needs_no_server(self):
        write(self.folder, "search/search_index.json", json.dumps({"docs": [
            {"location": "a.html", "title": "A", "text": "</script> 단어"},
            {"location": "a.html#a", "title": "A", "text": ""},
            {"location": "a.html#b", "title": "B", "text": "more"}]}))
        write(self.folder, "search/lunr.js", "")
        self.assertEqual(make_site.make_search(self.folder), 2)
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "search"))),
                         ["main.js", "search_index.js"])
        begin, _, index = read(self.folder, "search", "search_index.js").partition(" = ")
        self.assertEqual(begin, "window.searchIndex")
        self.assertEqual(json.loads(index.rstrip(";\n")),
                         [["a.html", "A", "</script> 단어"], ["a.html#b", "B", "more"]])

    def test_a_good_site_passes_and_faults_are_named(self):
        good = '<h1 id="top">A</h1><a href="b.html#in">b</a><a href="#top">t</a><img src="i.png">'
        write(self.folder, "a.html", good)
        write(self.folder, "b.html", '<h2 id="in">B</h2><a href="https://example.org/">out</a>')
        write(self.folder, "i.png", "")
        self.assertEqual(list(make_site.check_site(self.folder)), [])
        for part, fault in (('<a href="c.html">', "there is no c.html"),
                            ('<a href="b.html#out">', "has no such place"),
                            ('<a href="#gone">', "has no such place"),
                            ('<script src="gone.js"></script>', "there is no gone.js"),
                            ('<script src="https://example.org/x.js"></script>', "from a network"),
                            ('<link href="//example.org/x.css">', "from a network")):
            write(self.folder, "a.html", good + part)
            faults = list(make_site.check_site(self.folder))
            self.assertEqual(len(faults), 1, part)
            self.assertIn(fault, faults[0])

    def test_another_folder_is_left_alone(self):
        write(self.folder, "mine/file", "x")
        with self.assertRaises(make_site.SiteError):
            make_site.main(self.folder, os.path.join(self.folder, "mine"))


if __name__ == "__main__":
    unittest.main()
