"""Tests messages.py: what it takes for a message, and that a new or a lost one is named."""

import contextlib
import io
import os
import subprocess
import tempfile
import unittest

from tests.docs import messages

SOURCE = r'''
// InvalidArgument("in a comment")
absl::Status F(int n) {
  if (n < 0) return InvalidArgument("'", path, "': line ", n,
                                    " has no number; --skip leaves it out");
  if (n == 0) return absl::NotFoundError(absl::StrCat("no ", Name(n, "x"), " here"));
  if (n == 1) return Internal(absl::StrFormat("%d%% of %s", n, name));
  notes.push_back(absl::StrCat("left out: ", absl::StrJoin(all, ", ")));
  std::fprintf(stderr, "seqgraph: note: %s is "
                       "guessed\n", name);
  return DataLoss(what);
}
'''
EXPECTED = ["InvalidArgument: '{}': line {} has no number; --skip leaves it out",
            "NotFound: no {} here", "Internal: {}% of {}", "note: left out: {}",
            "note: {} is guessed"]


class MessagesTest(unittest.TestCase):

    def test_what_a_source_says(self):
        self.assertEqual(list(messages.messages_of(SOURCE)), EXPECTED)

    def run_main(self, tree, *options):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            return messages.main(tree, *options), output.getvalue()

    def test_new_and_lost_ones_are_named(self):
        with tempfile.TemporaryDirectory() as tree:
            os.makedirs(os.path.join(tree, "tests/docs"))
            os.mkdir(os.path.join(tree, "data"))
            for name in ("data/a.cc", "data/a_test.cc", "b.cc"):
                with open(os.path.join(tree, name), "w", encoding="utf-8") as file:
                    file.write(SOURCE)
            listed = "data/a.cc data/a_test.cc b.cc"
            messages.subprocess = _Git(listed)
            try:
                self.assertEqual(self.run_main(tree, "--write")[0], 0)
                self.assertEqual(self.run_main(tree), (0, "5 messages are known\n"))
                with open(os.path.join(tree, "data/a.cc"), "w", encoding="utf-8") as file:
                    file.write(SOURCE.replace("guessed", "made up"))
                status, output = self.run_main(tree)
                self.assertEqual(status, 1)
                self.assertIn("new: data/a.cc: note: {} is made up\n", output)
                self.assertIn("gone: data/a.cc: note: {} is guessed\n", output)
            finally:
                messages.subprocess = subprocess


class _Git:
    """What lists the files of a tree."""

    PIPE = subprocess.PIPE

    def __init__(self, listed):
        self.stdout = listed

    def run(self, *_, **__):
        return self


if __name__ == "__main__":
    unittest.main()
