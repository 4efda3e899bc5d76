"""The site of the documents in a real browser: errors, requests, widths, search, keys, contrast.

usage: site_browser_test.py CHROMIUM SITE          SITE: a folder that tools/docs/site has made
"""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser  # noqa: E402

# Pages of each kind: long tables, code of several languages, pictures, Korean.
LOOKED_AT = ("index.html", "tutorial/index.html", "tutorial/ko/index.html", "commands/train.html",
             "benchmarks.html", "ops.html")


class SiteTest(unittest.TestCase):
    chromium = site = None

    @classmethod
    def setUpClass(cls):
        cls.browser = browser.Browser(cls.chromium)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def open(self, name, **how):
        self.browser.open(os.path.join(self.site, name), **how)
        return self.browser

    def all_pages(self):
        found = [os.path.relpath(os.path.join(place, name), self.site)
                 for place, _, names in os.walk(self.site) for name in names if name.endswith(".html")]
        self.assertGreater(len(found), 50)
        return sorted(set(found) - {"404.html"})  # which is for servers

    def test_no_page_makes_an_error_or_asks_for_anything_else(self):
        width, height = browser.SIZES["phone"]
        for name in self.all_pages():
            page = self.open(name, width=width, height=height)
            self.assertEqual(page.errors, [], name)
            inside = ("file://" + self.site + "/", "data:")
            self.assertEqual([url for url in page.requests if not url.startswith(inside)], [], name)
            self.assertEqual(page.run("[...document.images].filter(i => !i.naturalWidth).length"), 0, name)
            self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width, name)

    def test_pages_fit_each_screen(self):
        kept = os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR")
        for name in LOOKED_AT:
            for size, (width, height) in browser.SIZES.items():
                page = self.open(name, width=width, height=height)
                self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width, name)
                _, rows, points = browser.read_png(page.screenshot(width, height, 0.2))
                self.assertGreater(len({bytes(row) for row in points}), rows // 10, name)  # not empty
                if kept:
                    file = "%s_%s.png" % (name.replace("/", "_").removesuffix(".html"), size)
                    with open(os.path.join(kept, file), "wb") as out:
                        out.write(page.screenshot(width, height, 1))

    def test_texts_stand_out_from_their_ground(self):
        for name in LOOKED_AT:
            for dark in (False, True):
                found = self.open(name, dark=dark).run(browser.CONTRAST)
                self.assertGreater(found["count"], 50, name)
                self.assertEqual(found["bad"], [], "%s, %s" % (name, "dark" if dark else "light"))

    def test_the_search_finds_words_of_any_script(self):
        page = self.open("tutorial/index.html")
        for query, expected in (("learning rate", None), ("임베딩", "ko/index.html"), ("qqqqqq", None)):
            page.run("(e => { e.focus(); e.value = '%s'; e.dispatchEvent(new Event('input')); })"
                     "(document.getElementById('search-query'))" % query)
            page.run("new Promise(done => { const wait = () => window.searchIndex ? done() : "
                     "setTimeout(wait, 20); wait(); })")
            page.run("document.getElementById('search-query').dispatchEvent(new Event('input'))")
            links = page.run("[...document.querySelectorAll('#search-results a')].map(a => a.href)")
            if query == "qqqqqq":
                self.assertEqual(links, [])
                self.assertIn("Nothing found", page.run("document.getElementById('search-results').textContent"))
                continue
            self.assertGreater(len(links), 0, query)
            for link in links:
                self.assertTrue(os.path.exists(link.removeprefix("file://").partition("#")[0]), link)
            if expected:
                self.assertTrue(any(expected in link for link in links), links)
        self.assertEqual(page.errors, [])

    def test_the_keyboard_comes_to_the_text_first(self):
        page = self.open("tutorial/index.html")
        page.key("Tab")
        self.assertEqual(page.run("document.activeElement.className"), "skip")
        self.assertEqual(page.run("document.activeElement.getAttribute('href')"), "#content")
        for _ in range(2):
            page.key("Tab")
        self.assertEqual(page.run("document.activeElement.id"), "search-query")


if __name__ == "__main__":
    SiteTest.chromium, SiteTest.site = sys.argv[1], os.path.abspath(sys.argv[2])
    unittest.main(argv=sys.argv[:1], verbosity=2)
