"""The pictures of docs/images are what make_images.py makes: of the same size, and alike to the eye.

usage: images_test.py CHROMIUM SEQGRAPH IMAGES
"""

import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import browser  # noqa: E402

# Numbers and times are other ones on another machine: of a picture that is five times smaller the mean
# difference is to stay below this, of 255.
MOST_MEAN = 8.0


class ImagesTest(unittest.TestCase):
    chromium = seqgraph = images = None

    def test_they_can_be_made_again(self):
        with tempfile.TemporaryDirectory() as folder:
            maker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "make_images.py")
            subprocess.run([sys.executable, maker, self.chromium, self.seqgraph, folder], check=True)
            stored = sorted(name for name in os.listdir(self.images) if name.endswith(".png"))
            self.assertEqual(sorted(os.listdir(folder)), stored)  # none that was made by hand
            shown = browser.Browser(self.chromium)
            try:
                for name in stored:
                    self.assertLess(self.difference(shown, os.path.join(folder, name),
                                                    os.path.join(self.images, name)), MOST_MEAN, name)
            finally:
                shown.close()

    def difference(self, shown, *files):
        """The mean difference of two pictures, as Chromium shows them five times smaller."""
        seen = []
        for file in files:
            shown.open(os.path.abspath(file), width=1600, height=1600)
            seen.append(browser.read_png(shown.screenshot(1400, 1500, 0.2))[2])
        apart = [abs(a - b) for x, y in zip(*seen) for a, b in zip(x, y)]
        mean = sum(apart) / len(apart)
        print("%s: mean difference %.2f" % (os.path.basename(files[0]), mean))
        return mean


if __name__ == "__main__":
    ImagesTest.chromium, ImagesTest.seqgraph, ImagesTest.images = map(os.path.abspath, sys.argv[1:4])
    unittest.main(argv=sys.argv[:1], verbosity=2)
