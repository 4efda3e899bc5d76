"""Pictures and pages of the command, read by parsers of Python's own library."""

import html.parser
import os
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

_SEQGRAPH = os.path.abspath("tools/seqgraph_main")
_SVG = "{http://www.w3.org/2000/svg}"
_VOID = {"meta", "link", "br", "hr", "img", "input"}


def _run(folder, *arguments):
    return subprocess.run([_SEQGRAPH, *arguments], cwd=folder, check=True, capture_output=True,
                          text=True).stdout


class _Page(html.parser.HTMLParser):
    """Tags that are open, and all that have been."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        self.texts.append(data)


class PicturesTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls._folder = tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR"))
        cls.folder = cls._folder.name
        _run(cls.folder, "train", "--data=synthetic", "--epochs=1", "--maxlen=10", "--units=4",
             "--output=m.pb")

    @classmethod
    def tearDownClass(cls):
        cls._folder.cleanup()

    def _nodes(self, svg):
        """Names of the nodes of the picture or of the pictures in it."""
        return [g.get("data-node") for g in ElementTree.fromstring(svg).iter(f"{_SVG}g")
                if g.get("class") == "node"]

    def test_a_picture_has_the_nodes_of_the_text(self):
        for function in ("predict", "evaluate", "train_step"):
            text = _run(self.folder, "inspect", "m.pb", f"--function={function}")
            ops = re.findall(r"^  .*\] = (\w+)\(|^  .*_ = (\w+)\(", text, re.MULTILINE)
            svg = _run(self.folder, "inspect", "m.pb", f"--function={function}", "--format=svg")
            self.assertEqual(len(self._nodes(svg)), len(ops), function)

    def test_all_functions_and_before_and_after_passes_are_one_picture(self):
        of_all = self._nodes(_run(self.folder, "inspect", "m.pb", "--format=svg"))
        alone = [node for function in ("predict", "evaluate", "train_step")
                 for node in self._nodes(_run(self.folder, "inspect", "m.pb", "--format=svg",
                                              f"--function={function}"))]
        self.assertEqual(sorted(of_all), sorted(alone))
        flags = ["inspect", "m.pb", "--function=train_step", "--passes"]
        counts = [int(n) for n in re.findall(r"(?:before|after), (\d+) nodes",
                                             _run(self.folder, *flags))]
        self.assertEqual(len(counts), 2)
        svg = _run(self.folder, *flags, "--format=svg")
        self.assertEqual(len(self._nodes(svg)), sum(counts))
        self.assertIn(f"after, {counts[1]} nodes", svg)

    def test_boxes_and_lines_lie_in_the_picture(self):
        svg = ElementTree.fromstring(
            _run(self.folder, "inspect", "m.pb", "--function=train_step", "--format=svg"))
        picture = next(svg.iter(f"{_SVG}svg"))
        width, height = float(picture.get("width")), float(picture.get("height"))
        rects = list(svg.iter(f"{_SVG}rect"))
        self.assertGreater(len(rects), 20)
        for inner in svg.iter(f"{_SVG}svg"):
            for rect in inner.findall(f"{_SVG}g/{_SVG}rect"):
                self.assertGreaterEqual(float(rect.get("x")), 0)
                self.assertGreaterEqual(float(rect.get("y")), 0)
                self.assertLessEqual(float(rect.get("x")) + float(rect.get("width")), width)
                self.assertLessEqual(float(rect.get("y")) + float(rect.get("height")), height)

    def test_explain_writes_a_page_that_asks_for_nothing(self):
        text = _run(self.folder, "explain", "m.pb", "--html=page.html")
        with open(os.path.join(self.folder, "page.html"), encoding="utf-8") as file:
            content = file.read()
        page = _Page()
        page.feed(content)
        self.assertEqual(page.open, [])
        for tag, attributes in page.seen:
            self.assertNotIn(tag, ("script", "link", "img", "iframe"))
            self.assertFalse({"href", "src", "onload", "onclick"} & set(attributes), tag)
        nodes = [a["data-node"] for t, a in page.seen if t == "g" and a.get("class") == "node"]
        rows = [t for t, _ in page.seen].count("tr") - 1
        self.assertEqual(len(nodes), rows)
        self.assertGreater([a.get("class") for _, a in page.seen].count("buffer"), 10)
        # What the command says stands there too, to the peak of memory.
        peak = re.search(r"peak +([\d,]+)", text).group(1)
        self.assertIn(peak, "".join(page.texts))
        self.assertLess(len(content), 1 << 20)


if __name__ == "__main__":
    unittest.main()
