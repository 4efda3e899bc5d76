"""Tests follow.py: what it writes and changes, and the steps that it must refuse."""

import os
import tempfile
import unittest

from tests.recipes import follow

RECIPE = """# Title
## To add a thing
Text.
```cpp a.cc
int a() { return 1; }
```
```diff list.txt
 one
+two
```
```sh
test "$(tail -n 2 list.txt)" = "$(printf 'two\\nthree')" && touch ran
```
"""


class FollowTest(unittest.TestCase):

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.tree = self._folder.name
        self.write("list.txt", "zero\none\nthree\n")

    def tearDown(self):
        self._folder.cleanup()

    def write(self, name, text):
        with open(os.path.join(self.tree, name), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, name):
        with open(os.path.join(self.tree, name), encoding="utf-8") as file:
            return file.read()

    def follow(self, text=RECIPE, mode="", flags=()):
        return follow.follow(text, self.tree, mode, flags, say=lambda text: None)

    def test_files_are_written_and_lists_changed(self):
        self.assertEqual(self.follow(), 1)
        self.assertEqual(self.read("a.cc"), "int a() { return 1; }\n")
        self.assertEqual(self.read("list.txt"), "zero\none\ntwo\nthree\n")
        self.assertFalse(os.path.exists(os.path.join(self.tree, "ran")))

    def test_commands_run_after_all_steps(self):
        self.follow(mode="--run")
        self.assertEqual(self.read("ran"), "")

    def test_what_does_not_compile_is_named(self):
        self.follow(mode="--compile")
        os.remove(os.path.join(self.tree, "a.cc"))
        self.write("list.txt", "one\n")
        with self.assertRaisesRegex(follow.RecipeError, "To add a thing: failed: .*a.cc"):
            self.follow(RECIPE.replace("return 1", "return b"), "--compile")

    def test_flags_are_for_the_compiler(self):
        with self.assertRaisesRegex(follow.RecipeError, "failed: .*a.cc"):
            self.follow(RECIPE.replace("return 1", "return ONE"), "--compile")
        os.remove(os.path.join(self.tree, "a.cc"))
        self.write("list.txt", "zero\none\nthree\n")
        self.follow(RECIPE.replace("return 1", "return ONE"), "--compile", ["-DONE=1"])

    def test_a_failing_command_is_named(self):
        with self.assertRaisesRegex(follow.RecipeError, "To add a thing: failed"):
            self.follow(RECIPE.replace("test ", "! test "), "--run")

    def test_steps_that_do_not_fit_are_refused(self):
        for text, files in (("zero\n", "list.txt.*0 times"), ("one\none\n", "list.txt.*2 times")):
            self.write("list.txt", text)
            with self.assertRaisesRegex(follow.RecipeError, files):
                self.follow()
            os.remove(os.path.join(self.tree, "a.cc"))
        os.remove(os.path.join(self.tree, "list.txt"))
        with self.assertRaisesRegex(follow.RecipeError, "no such file"):
            self.follow()
        with self.assertRaisesRegex(follow.RecipeError, "a.cc: the file is there already"):
            self.follow()

    def test_a_line_that_only_ends_like_its_place_is_none(self):
        self.write("list.txt", "twenty-one\nthree\n")
        with self.assertRaisesRegex(follow.RecipeError, "0 times"):
            self.follow()


if __name__ == "__main__":
    unittest.main()
