"""Follows the tutorials and the pages of questions and errors, on the published reviews where ../shared has them and on a few made-up ones
where not; and tests what follow_tutorials.py must refuse."""

import io
import os
import random
import re
import tarfile
import tempfile
import unittest

from tests.docs import follow_tutorials

ARCHIVE = "aclImdb_v1.tar.gz"
REAL = os.path.join(os.environ.get("SEQGRAPH_SHARED", ""), "imdb", ARCHIVE)
PROGRAMS = {"seqgraph": "tools/seqgraph_main", "tutorial": "examples/tutorial",
            "stream_from_c": "examples/stream_from_c"}
PAGES = "docs/tutorial"


def write_reviews(path):
    """An archive in the published layout: 400 reviews of made-up words, some of which tell."""
    rng = random.Random(1)
    with tarfile.open(path, "w:gz") as archive:
        for split in ("train", "test"):
            for label, mark in (("pos", "wonderful"), ("neg", "waste")):
                for number in range(100):
                    words = ["word%d" % rng.randrange(30) for _ in range(rng.randrange(20, 200))]
                    text = " ".join(words + [mark, "film"]).encode()
                    info = tarfile.TarInfo("aclImdb/%s/%s/%d_9.txt" % (split, label, number))
                    info.size = len(text)
                    archive.addfile(info, io.BytesIO(text))


def commands_of(text):
    return [block[1:] for block in follow_tutorials.blocks(text)]


class TutorialsTest(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.bin = os.path.join(self.folder.name, "bin")
        os.mkdir(self.bin)
        for name, program in PROGRAMS.items():
            os.symlink(os.path.abspath(program), os.path.join(self.bin, name))

    def tearDown(self):
        self.folder.cleanup()

    def follow(self, page):
        real = os.path.exists(REAL)
        archive = REAL
        if not real:
            print("no %s: made-up reviews instead, and their numbers are not compared" % REAL)
            archive = os.path.join(self.folder.name, ARCHIVE)
            write_reviews(archive)
        with open(os.path.join(PAGES, page), encoding="utf-8") as file:
            text = file.read()
        data = [archive] + ["tests/keras_files/models/cnn_lstm" + end
                            for end in (".keras", ".expected.npz")]
        faults = list(follow_tutorials.follow(text, "examples", self.bin, data, real))
        self.assertEqual(faults, [], "\n".join(faults))
        self.assertGreater(len(follow_tutorials.blocks(text)), 3)

    def test_reviews(self):
        self.follow("index.md")

    def test_forecasting(self):
        self.follow("forecasting.md")

    def test_keras_model(self):
        self.follow("keras_model.md")

    def test_stream_from_c(self):
        self.follow("stream_from_c.md")

    def test_questions(self):
        self.follow("../faq.md")

    def test_errors(self):
        self.follow("../errors.md")

    def test_made_up_reviews_serve_too(self):
        archive = os.path.join(self.folder.name, ARCHIVE)
        write_reviews(archive)
        with open(os.path.join(PAGES, "index.md"), encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(
            list(follow_tutorials.follow(text, "examples", self.bin, [archive], real=False)), [])

    def test_the_korean_page_has_the_same_code(self):
        def page(name):
            with open(os.path.join(PAGES, name), encoding="utf-8") as file:
                return file.read()
        self.assertEqual(commands_of(page("ko/index.md")), commands_of(page("index.md")))
        plain = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
        self.assertEqual(plain.findall(page("ko/index.md")), plain.findall(page("index.md")))


class FollowTest(unittest.TestCase):

    def faults(self, text, real=True):
        with tempfile.TemporaryDirectory() as sources:
            with open(os.path.join(sources, "a.cc"), "w", encoding="utf-8") as file:
                file.write("int a() {\n  return 1;\n}\nint b;\n")
            return list(follow_tutorials.follow(text, sources, "/bin", [], real))

    def test_what_is_so(self):
        self.assertEqual(self.faults(
            "```sh one\necho first; printf 'x 1.5 y\\nlast of all\\n'\n```\n"
            "```text one\nfirst\n```\n```text one like\nx 2 y\nlast ...\n```\n"
            "```text one\nfirst\n...\nlast of all\n```\n"
            "```cpp a.cc\nreturn  1;\n...\nint b;\n```\n```python\nnot_looked_at\n```\n"), [])

    def test_what_is_not_so(self):
        for block in ("```text one\nfirst\nsecond\n```\n", "```text one\nx 2 y\n```\n",
                      "```text one like\nz 2 y\n```\n", "```text one\nlast\n...\nfirst\n```\n",
                      "```text two\nfirst\n```\n", "```cpp a.cc\nreturn 2;\n```\n",
                      "```cpp b.cc\nreturn 1;\n```\n", "```cpp a.cc\nint b;\n...\nreturn 1;\n```\n"):
            text = "```sh one\nprintf 'first\\nx 1 y\\nlast\\n'\n```\n" + block
            self.assertEqual(len(self.faults(text)), 1, block)

    def test_what_needs_the_published_reviews(self):
        text = "```sh one\necho a\n```\n```text one real\nb\n```\n"
        self.assertEqual(self.faults(text, real=False), [])
        self.assertEqual(len(self.faults(text)), 1)

    def test_a_command_that_fails(self):
        with self.assertRaises(follow_tutorials.Fault):
            self.faults("```sh one\nfalse | true\n```\n")


if __name__ == "__main__":
    unittest.main()
