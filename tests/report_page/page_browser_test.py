"""Pages of made-up runs in a real browser: errors, requests, keys, hostile texts, contrast, looks.

usage: page_browser_test.py CHROMIUM MAKE_PAGE SCREENS [--write]    --write stores the screenshots anew
"""

import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser  # noqa: E402

SCALE = 0.2
# Text of other fonts differs in each letter and not in its place: of a picture that is five times
# smaller the mean difference is to stay below this, of 255, ...
MOST_MEAN = 5.0
# ... and no more than that share of its points may differ by more than 60.
MOST_FAR, FAR = 0.03, 60

# What can be reached by the keyboard, in the order of the document.
FOCUSABLE = """[...document.querySelectorAll('a[href],button,input,summary,[tabindex="0"]')]
  .filter(e => !e.hidden && e.getClientRects().length > 0 && !e.closest('details:not([open]) > :not(summary)'))"""

class PageTest(unittest.TestCase):
    chromium = make_page = screens = None
    write = False

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        subprocess.run([cls.make_page, cls.folder], check=True)
        cls.browser = browser.Browser(cls.chromium)

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def open(self, name, **how):
        self.browser.open(os.path.join(self.folder, name + ".html"), **how)
        return self.browser

    def test_pages_make_no_error_and_ask_for_nothing(self):
        for name in ("plain", "hostile", "two"):
            page = self.open(name)
            self.assertEqual(page.errors, [], name)
            self.assertEqual([url for url in page.requests if not url.startswith(("file:", "data:"))], [])
            self.assertEqual(len(page.requests), len(set(page.requests)), name)
            self.assertGreater(page.run("document.querySelectorAll('.plot > svg .line').length"), 5)

    def test_hostile_texts_are_texts(self):
        page = self.open("hostile")
        self.assertNotEqual(page.run("document.title"), "run")
        self.assertEqual(page.run("document.images.length"), 0)
        self.assertEqual(page.run("document.scripts.length"), 2)
        self.assertEqual(page.run("document.querySelectorAll('[onload],[onerror]').length"), 0)
        self.assertFalse(page.run("/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.innerText)"))
        self.assertIn("<img src=x onerror=", page.run("document.querySelector('h1').textContent"))

    def test_nothing_is_wider_than_the_screen(self):
        for name in ("plain", "hostile", "two"):
            for width, height in browser.SIZES.values():
                page = self.open(name, width=width, height=height)
                self.assertLessEqual(page.run("document.documentElement.scrollWidth"), width, name)

    def test_the_keyboard_reaches_all_in_order(self):
        page = self.open("plain")
        page.run("window.order = " + FOCUSABLE)
        count = page.run("order.length")
        self.assertGreater(count, 30)
        for expected in range(count):
            page.key("Tab")
            self.assertEqual(page.run("order.indexOf(document.activeElement)"), expected,
                             page.run("document.activeElement.outerHTML.slice(0, 200)"))
            self.assertNotEqual(page.run("getComputedStyle(document.activeElement).outlineStyle"), "none")
        self.assertEqual(page.run("order[0].className"), "skip")
        self.assertEqual(page.run("order[1].id"), "theme")

    def test_keys_read_and_zoom_a_chart(self):
        page = self.open("plain")
        tip = "document.querySelector('.plot .tip').innerText.split('\\n')"
        labels = "[...document.querySelectorAll('.plot svg')[0].querySelectorAll('text')].map(t => t.textContent).join(' ')"
        everything = page.run(labels)
        page.run("document.querySelector('.plot').focus()")
        for _ in range(3):
            page.key("ArrowRight")
        # Of the run that was made up: epoch 3 has 0.42 and 0.41.
        self.assertEqual(page.run(tip), ["epoch 3", "0.42 training", "0.41 validation"])
        page.key("ArrowLeft")
        self.assertEqual(page.run(tip), ["epoch 2", "0.55 training", "0.52 validation"])
        page.key("+", "+")
        self.assertNotEqual(page.run(labels), everything)
        page.key("0", "0")
        self.assertEqual(page.run(labels), everything)
        page.key("Escape")
        self.assertTrue(page.run("document.querySelector('.plot .tip').hidden"))

    def test_a_mouse_zooms_and_reads(self):
        page = self.open("plain")
        box = page.run("(r => [r.x, r.y, r.width, r.height])(document.querySelector('.plot').getBoundingClientRect())")
        x, y, width, height = box
        page.drag((x + width * 0.5, y + height / 2), (x + width * 0.9, y + height / 2))
        self.assertFalse(page.run("document.querySelector('.plot .tip').hidden"))
        ticks = page.run("[...document.querySelectorAll('.plot svg')[0].querySelectorAll('text[text-anchor=middle]')].map(t => +t.textContent)")
        self.assertNotIn(1, ticks)
        self.assertIn(4, ticks)
        page.run("document.getElementById('all').click()")
        self.assertIn(1, page.run("[...document.querySelectorAll('.plot svg')[0].querySelectorAll('text[text-anchor=middle]')].map(t => +t.textContent)"))

    def test_tools_change_the_curves(self):
        page = self.open("plain")
        page.run("(e => { e.value = 0.5; e.dispatchEvent(new Event('input')); })(document.getElementById('smooth'))")
        self.assertGreater(page.run("document.querySelectorAll('.line.faint').length"), 3)
        # 0.69, then (0.5 * 0.69 + 0.55) / 1.5 = 0.59667 by hand, at the same scale as raw values.
        ys = page.run("""(() => {
          const of = (p) => p.getAttribute('d').slice(1).split('L').map(a => +a.split(' ')[1]);
          const [faint, smooth] = [...document.querySelectorAll('.plot svg')[0].querySelectorAll('.c0 .line')].map(of);
          return [faint[0], faint[1], smooth[0], smooth[1]]; })()""")
        self.assertAlmostEqual(ys[2], ys[0], delta=0.11)
        self.assertAlmostEqual((ys[3] - ys[0]) / (ys[1] - ys[0]), (0.69 - 0.596667) / (0.69 - 0.55), delta=0.01)
        before = page.run("document.querySelectorAll('.plot svg')[0].textContent")
        page.run("document.getElementById('log').click()")
        self.assertNotEqual(page.run("document.querySelectorAll('.plot svg')[0].textContent"), before)
        page.run("document.querySelector('.legend button').click()")
        self.assertEqual(page.run("document.querySelectorAll('.plot svg')[0].querySelectorAll('.c0 .line').length"), 0)
        page.run("document.getElementById('theme').click()")
        self.assertEqual(page.run("document.documentElement.dataset.theme"), "dark")
        self.assertEqual(page.errors, [])

    def test_texts_stand_out_from_their_ground(self):
        for name in ("plain", "two"):
            for dark in (False, True):
                found = self.open(name, dark=dark).run(browser.CONTRAST)
                self.assertGreater(found["count"], 100)
                self.assertEqual(found["bad"], [], "dark" if dark else "light")

    def test_it_prints(self):
        page = self.open("plain", dark=True)
        page.call("Emulation.setEmulatedMedia", media="print")
        self.assertEqual(page.run("getComputedStyle(document.querySelector('nav')).display"), "none")
        self.assertEqual(page.run("getComputedStyle(document.body).color"), "rgb(0, 0, 0)")
        self.assertGreater(len(page.call("Page.printToPDF", printBackground=True)["data"]), 20_000)
        page.call("Emulation.setEmulatedMedia", media="")

    def test_a_png_of_curves_looks_as_the_svg(self):
        shots = []
        for name in ("curves.svg", "curves.png"):
            with open(os.path.join(self.folder, "picture.html"), "w", encoding="utf-8") as file:
                file.write("<body style='margin:0;background:#fff'><img width=640 src=%s>" % name)
            page = self.open("picture", width=640, height=900)
            height = page.run("document.images[0].height")
            self.assertGreater(height, 500)
            shots.append(browser.read_png(page.screenshot(640, height, 0.5))[2])
        apart = [abs(a - b) for x, y in zip(*shots) for a, b in zip(x, y)]
        mean, far = sum(apart) / len(apart), sum(1 for each in apart if each > FAR) / len(apart)
        print("mean difference %.2f, %.2f %% far" % (mean, 100 * far))
        self.assertLess(mean, 2.0)  # letters fall between pixels otherwise
        self.assertLess(far, 0.01)
        # And it is no empty picture that two others would be like.
        self.assertGreater(sum(1 for row in shots[0] for each in row if each < 200), 1000)

    def test_it_looks_as_it_did(self):
        for name, (width, height) in browser.SIZES.items():
            for dark in (False, True):
                file = os.path.join(self.screens, "%s_%s.png" % (name, "dark" if dark else "light"))
                page = self.open("plain", width=width, height=height, dark=dark)
                shot = page.screenshot(width, height, SCALE)
                if self.write:
                    with open(file, "wb") as out:
                        out.write(shot)
                    continue
                with open(file, "rb") as stored:
                    expected = browser.read_png(stored.read())
                got = browser.read_png(shot)
                self.assertEqual(got[:2], expected[:2], file)
                apart = [abs(a - b) for x, y in zip(got[2], expected[2]) for a, b in zip(x, y)]
                mean = sum(apart) / len(apart)
                far = sum(1 for each in apart if each > FAR) / len(apart)
                print("%s: mean difference %.2f, %.2f %% far" % (os.path.basename(file), mean, 100 * far))
                if mean > MOST_MEAN or far > MOST_FAR:
                    kept = os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR", self.folder)
                    with open(os.path.join(kept, os.path.basename(file)), "wb") as out:
                        out.write(shot)
                    self.fail("%s: mean difference %.2f, %.1f %% of points far apart; the new one is in %s" %
                              (file, mean, 100 * far, kept))


if __name__ == "__main__":
    PageTest.chromium, PageTest.make_page, PageTest.screens = sys.argv[1:4]
    PageTest.write = "--write" in sys.argv[4:]
    unittest.main(argv=[sys.argv[0]] + (["PageTest.test_it_looks_as_it_did"] if PageTest.write else []),
                  verbosity=2)
