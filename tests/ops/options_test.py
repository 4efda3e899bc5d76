"""Every option that a builder in ops/ can be given reaches the node that it makes: a builder that shares
another one's options and drops some of them is found here, whatever it is called."""

import glob
import pathlib
import re
import unittest

_STRUCT = re.compile(r"struct (\w+(?:Options|Inputs)) (?:: (?:public )?(\w+) )?\{(.*?)\n\};", re.S)
_BUILDER = re.compile(
    r"^\w+(?:<[^>]*>)? (\w+)\(FunctionBuilder& g,([^;{}]*?)const (\w+)& (\w+)\) \{(.*?)^\}", re.S | re.M
)


def fields_of(text):
    """The fields of each struct of options, those of the struct that it extends included."""
    structs = {}
    for name, base, body in _STRUCT.findall(re.sub(r"//[^\n]*", "", text)):
        own = set()
        for declaration in body.split(";"):
            declaration = re.sub(r"=.*", "", declaration, flags=re.S).strip()
            if declaration:
                own |= {re.split(r"[\s&]", field.strip())[-1] for field in declaration.split(",")}
        structs[name] = own | structs.get(base, set())
    return structs


def dropped(header_text, source_text):
    """[(builder, field)] of what a builder can be given and does not pass on."""
    structs, found = fields_of(header_text), []
    for builder, _, struct, name, body in _BUILDER.findall(source_text):
        if struct not in structs:
            continue
        if re.search(r"[(,]\s*%s\s*[,)]" % name, body):
            continue  # handed on as a whole: the builder that takes it is looked at
        found += [(builder, field) for field in sorted(structs[struct])
                  if not re.search(r"\b%s\.%s\b" % (name, field), body)]
    return found


def read(pattern):
    return "\n".join(pathlib.Path(path).read_text(encoding="utf-8") for path in sorted(glob.glob(pattern)))


class OptionsTest(unittest.TestCase):
    def test_all_reach_the_node(self):
        headers, sources = read("ops/*.h"), read("ops/*.cc")
        builders = _BUILDER.findall(sources)
        self.assertGreater(len(builders), 15, "the sources are not where they are looked for")
        self.assertEqual(dropped(headers, sources), [])

    def test_a_dropped_one_is_found(self):
        header = "struct AOptions {\n  Value mask;  ///< note\n  bool reverse = false;\n};\n"
        source = ("Value A(FunctionBuilder& g, Value x, const AOptions& options) {\n"
                  "  return g.AddNode(\"A\", {x, options.mask})[0];\n}\n")
        self.assertEqual(dropped(header, source), [("A", "reverse")])
        whole = "Value B(FunctionBuilder& g, Value x, const AOptions& options) {\n  return A(g, x, options);\n}\n"
        self.assertEqual(dropped(header, whole), [])


if __name__ == "__main__":
    unittest.main()
