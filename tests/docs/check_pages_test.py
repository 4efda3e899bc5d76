"""Tests check_pages.py on small trees: what it lets through, and what it must name."""

import os
import tempfile
import unittest

from tests.docs import check_pages

README = """# Title
[a page](docs/page.md#second-heading-it-has), [one](docs/page.md#twice-1), [out](https://example.org/x)
## How fast
| ours | 1,000 | 12 |
| --- | --- | --- |
"""
PAGE = """# Page
## Second `heading`: it has
## Twice
## Twice
```sh
[no link](nowhere.md)
```
`[none](nowhere.md)` [back](../README.md) [here](#page) [numbers](benchmarks.md)
"""
BENCHMARKS = "# Numbers\n`command`: 1,000 a second\n"


class CheckPagesTest(unittest.TestCase):

    def faults(self, **changed):
        pages = {"README": README, "page": PAGE, "benchmarks": BENCHMARKS, **changed}
        with tempfile.TemporaryDirectory() as tree:
            os.mkdir(os.path.join(tree, "docs"))
            for name, text in pages.items():
                folder = tree if name == "README" else os.path.join(tree, "docs")
                with open(os.path.join(folder, name + ".md"), "w", encoding="utf-8") as file:
                    file.write(text)
            return check_pages.check(tree)

    def only(self, part, **changed):
        faults = self.faults(**changed)
        self.assertEqual(len(faults), 1, faults)
        self.assertIn(part, faults[0])

    def test_lets_a_good_tree_through(self):
        self.assertEqual(self.faults(), [])

    def test_a_link_to_no_file(self):
        self.only("docs/gone.md", page=PAGE + "[x](gone.md)\n")
        self.only("there is no picture.png", README=README + "![x](picture.png)\n")

    def test_a_link_to_no_heading(self):
        self.only("no such heading", page=PAGE + "[x](benchmarks.md#speed)\n")
        self.only("no such heading", page=PAGE + "[x](#twice-2)\n")

    def test_a_page_that_nothing_leads_to(self):
        self.only("docs/lonely.md: no other page", lonely="# Lonely\n[itself](lonely.md)\n")

    def test_a_readme_that_is_too_long(self):
        self.only("lines are more", README=README + "\n" * 120)
        self.only("words are more", README=README + "word " * 1300)

    def test_a_speed_that_is_measured_nowhere(self):
        self.only("1,000 is not in", benchmarks="# Numbers\n21,000 1,000,000\n")
        self.only("nothing was checked", README=README.replace("1,000", "fast"))

    def test_headings_become_what_links_name(self):
        for heading, name in [("A model's *graph*, twice", "a-models-graph-twice"),
                              ("0026 Series: what", "0026-series-what"),
                              ("`--data` of [it](x.md)", "--data-of-it"),
                              ("표본의 길이", "표본의-길이")]:
            self.assertEqual(check_pages.slug(heading.replace("`", "")), name)


if __name__ == "__main__":
    unittest.main()
