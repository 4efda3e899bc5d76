// Lambda layers, from code that is assembled here by hand: instructions as the versions of CPython
// have them (its Lib/opcode.py), around them the format of its marshal module.

#include "serialization/keras/python_code.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "layers/operation.h"
#include "serialization/keras/keras_io.h"
#include "serialization/keras/python_object.h"
#include "tests/testing.h"

namespace seqgraph::keras {
namespace {

constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

std::string Number(int32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>((value >> (8 * i)) & 255));
  return bytes;
}
std::string Integer(int32_t value) { return "i" + Number(value); }
std::string Word(const std::string& text) {
  return absl::StrCat("z", std::string(1, static_cast<char>(text.size())), text);
}
std::string Words(const std::vector<std::string>& texts) {
  std::string bytes = absl::StrCat(")", std::string(1, static_cast<char>(texts.size())));
  for (const std::string& text : texts) bytes += Word(text);
  return bytes;
}
std::string Tuple(const std::vector<std::string>& objects) {
  std::string bytes = absl::StrCat(")", std::string(1, static_cast<char>(objects.size())));
  for (const std::string& object : objects) bytes += object;
  return bytes;
}
std::string Bytes(const std::string& bytes) {
  return absl::StrCat("s", Number(static_cast<int32_t>(bytes.size())), bytes);
}

// Instructions with their arguments.
using Program = std::vector<int>;

std::string Assemble(const Program& program) {
  std::string bytes;
  for (const int byte : program) bytes.push_back(static_cast<char>(byte));
  return bytes;
}

// A function of x: its code object as CPython 3.8 to 3.10 (`old`) or 3.11 to 3.13 write it.
std::string Function(bool old, const Program& program, const std::string& constants,
                     const std::vector<std::string>& names) {
  std::string bytes = absl::StrCat("c", Number(1), Number(0), Number(0));
  if (old) bytes += Number(1);  // locals
  absl::StrAppend(&bytes, Number(5), Number(3), Bytes(Assemble(program)), constants, Words(names),
                  Words({"x"}));
  if (old) return absl::StrCat(bytes, Words({}), Words({}), Word("f.py"), Word("<lambda>"));
  return absl::StrCat(bytes, Bytes(" "), Word("f.py"), Word("<lambda>"), Word("<lambda>"));
}

absl::StatusOr<KerasModel> ModelOfCode(const std::string& code) {
  return ParseKerasConfig(absl::StrCat(
      R"({"class_name": "Sequential", "config": {"name": "s", "layers": [
        {"class_name": "InputLayer", "config": {"batch_shape": [null, 3, 2], "dtype": "float32",
          "name": "i"}},
        {"class_name": "Lambda", "config": {"name": "f", "trainable": true, "dtype": "float32",
          "function": {"class_name": "__lambda__", "config": {"code": ")",
      absl::Base64Escape(code), R"(", "defaults": null, "closure": null}}, "arguments": {}}},
        {"class_name": "Dense", "config": {"name": "d", "units": 1}}]}})"));
}

const std::string& NoneAndMinusOne() {
  static const auto* const constants = new std::string(Tuple({"N", Integer(-1)}));
  return *constants;
}

// lambda x: x[:, -1, :]
TEST(PythonCode, ReadsAnIndexOfEachVersion) {
  const Program old = {124, 0,   100, 0,   100, 0,   133, 2,  100, 1,  100,
                       0,   100, 0,   133, 2,   102, 3,   25, 0,   83, 0};
  const Program of311 = {151, 0, 124, 0, 100, 0, 100, 0, 133, 2, 100, 1, 100, 0, 100, 0,
                         133, 2, 102, 3, 25,  0, 0,   0, 0,   0, 0,   0, 0,   0, 83,  0};
  const Program of312 = {151, 0,   124, 0,   100, 0,   100, 0,  133, 2, 100, 1,  100,
                         0,   100, 0,   133, 2,   102, 3,   25, 0,   0, 0,   83, 0};
  const Program of313 = {149, 0,  85, 0,  83, 0,  83, 0, 50, 2, 83, 1,  83,
                         0,   83, 0,  50, 2,  52, 3,  5, 0,  0, 0,  36, 0};
  const OperationLayer expected{.function = "GetItem", .index = ":, -1, :"};
  for (const auto& [is_old, program] :
       {std::pair{true, old}, {false, of311}, {false, of312}, {false, of313}}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model,
                             ModelOfCode(Function(is_old, program, NoneAndMinusOne(), {})));
    ASSERT_EQ(model.stack.layers.size(), 2u);
    EXPECT_EQ(model.stack.layers[0].name, "f");
    EXPECT_TRUE(model.stack.layers[0].kind == LayerKind(expected));
    ASSERT_FALSE(model.notes.empty());
    EXPECT_EQ(model.notes[0],
              "layer f (Lambda) is Python code; it is read as GetItem of Keras's operations");
  }
}

// lambda x: K.sum(x, axis=1)
TEST(PythonCode, ReadsACallOfEachVersion) {
  const Program old = {116, 0, 106, 1, 124, 0, 100, 0, 100, 1, 141, 2, 83, 0};
  const Program of311 = {151, 0, 116, 0, 0,   0, 0,   0, 0, 0, 0,   0, 160, 1, 0, 0, 0,  0,
                         124, 0, 100, 0, 172, 1, 166, 2, 0, 0, 171, 2, 0,   0, 0, 0, 83, 0};
  const Program of312 = {151, 0, 116, 0, 0,   0, 0,   0, 0, 0, 0, 0, 106, 3, 0, 0,
                         0,   0, 0,   0, 0,   0, 0,   0, 0, 0, 0, 0, 0,   0, 0, 0,
                         124, 0, 100, 0, 172, 1, 171, 2, 0, 0, 0, 0, 83,  0};
  const Program of313 = {149, 0, 91, 0, 0, 0, 0, 0, 82, 3, 0, 0, 85, 0, 83, 0, 83, 1, 57, 2, 36, 0};
  const OperationLayer expected{.function = "Sum", .axes = {1}};
  const std::string constants = Tuple({Integer(1), Words({"axis"})});
  for (const auto& [is_old, program] :
       {std::pair{true, old}, {false, of311}, {false, of312}, {false, of313}}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const KerasModel model,
                             ModelOfCode(Function(is_old, program, constants, {"K", "sum"})));
    EXPECT_TRUE(model.stack.layers[0].kind == LayerKind(expected));
  }
}

TEST(PythonCode, SaysWhatItCannotRead) {
  const auto refused = [](const Program& program, const std::string& constants,
                          const std::vector<std::string>& names) {
    return ModelOfCode(Function(/*old=*/true, program, constants, names)).status();
  };
  // lambda x: x[:, STEP], lambda x: open(x), lambda x: x if x else 0, lambda x: x.shape
  EXPECT_THAT(refused({124, 0, 100, 0, 100, 0, 133, 2, 116, 0, 102, 2, 25, 0, 83, 0},
                      NoneAndMinusOne(), {"STEP"}),
              StatusIs(kUnimplemented, "its Python code reads \"STEP\", which is not in the file"));
  EXPECT_THAT(refused({116, 0, 124, 0, 131, 1, 83, 0}, NoneAndMinusOne(), {"open"}),
              StatusIs(kUnimplemented, "its Python code calls open"));
  EXPECT_THAT(refused({124, 0, 114, 8, 124, 0, 83, 0, 100, 1, 83, 0}, NoneAndMinusOne(), {}),
              StatusIs(kUnimplemented, "instruction 114, which formulas do not need"));
  EXPECT_THAT(refused({124, 0, 106, 0, 83, 0}, NoneAndMinusOne(), {"shape"}),
              StatusIs(kUnimplemented, "takes .shape of a tensor"));
  EXPECT_THAT(refused({100, 0, 83, 0}, NoneAndMinusOne(), {}),
              StatusIs(kUnimplemented, "returns no tensor"));
}

// Whatever a file holds in its place, nothing is read beyond it.
TEST(PythonCode, RefusesDamagedCode) {
  const std::string whole =
      Function(true, {124, 0, 100, 0, 25, 0, 83, 0}, NoneAndMinusOne(), {"K", "sum"});
  for (size_t size = 0; size < whole.size(); ++size) {
    (void)ParsePythonCode(whole.substr(0, size));
    (void)ModelOfCode(whole.substr(0, size));
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int value : {0, 1, 40, 99, 127, 128, 227, 255}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(value);
      (void)ModelOfCode(changed);
    }
  }
  std::string deep = absl::StrCat("c", Number(1), Number(0), Number(0), Number(1), Number(5),
                                  Number(3), Bytes("S"));
  for (int i = 0; i < 10000; ++i) deep += ")\x01";
  EXPECT_FALSE(ParsePythonCode(deep).ok());
  // A tuple that is said to be of more than there is.
  EXPECT_FALSE(ParsePythonCode(absl::StrCat(deep.substr(0, 31), "(", Number(1 << 30))).ok());
}

}  // namespace
}  // namespace seqgraph::keras
