// Models of ours, as text.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "data/testing/test_util.h"
#include "tests/hostile/hostile_file.h"

namespace seqgraph {
namespace {

constexpr char kHead[] = "magic: \"seqgraph model\" format_version: 1\n";
constexpr char kInput[] = "inputs { name: \"x\" type { dtype: FLOAT32 dims: [-1, 4] } }";
constexpr char kResult[] = "results { name: \"y\" value: \"y\" }";

using Make = std::function<Arguments(const std::string& folder)>;

// `command` on a model of these bytes.
Make Command(const std::string& command, std::function<std::string()> bytes,
             const std::string& name = "h.textproto") {
  return [=](const std::string& folder) -> Arguments {
    data::WriteFileOrDie(folder + "/" + name, bytes());
    return {command, name};
  };
}
Make Command(const std::string& command, const std::string& bytes,
             const std::string& name = "h.textproto") {
  return Command(
      command, [bytes] { return bytes; }, name);
}

std::string InFunction(const std::string& body) {
  return absl::StrCat(kHead, "functions { name: \"predict\" ", body, " }\n");
}
// From x to y by one node of that op and what else is said of it.
std::string OneNode(const std::string& op, const std::string& more = "") {
  return absl::Substitute("nodes { name: \"$0\" op: \"$0\" inputs: \"x\" outputs: \"y\" $1 }", op,
                          more);
}
std::string Relu(const std::string& input = kInput) {
  return InFunction(absl::StrCat(input, OneNode("Relu"), kResult));
}
std::string InputOf(const std::string& dims, const std::string& dtype = "FLOAT32") {
  return absl::Substitute("inputs { name: \"x\" type { dtype: $1 dims: [$0] } }", dims, dtype);
}
// A model that names something so, where `inspect` shows it.
std::string Named(const std::string& name) {
  return InFunction(
      absl::Substitute("$0 nodes { name: \"$1\" op: \"Relu\" inputs: \"x\" outputs: \"y\" } $2",
                       kInput, name, kResult));
}
std::string Chain(int64_t length) {
  std::string nodes = "nodes{op:\"Relu\" name:\"a0\" inputs:\"x\" outputs:\"a0\"}";
  for (int64_t i = 1; i < length; ++i) {
    absl::StrAppend(&nodes, "nodes{op:\"Relu\" name:\"a", i, "\" inputs:\"a", i - 1,
                    "\" outputs:\"a", i, "\"}");
  }
  return InFunction(
      absl::StrCat(kInput, nodes, "results { name: \"y\" value: \"a", length - 1, "\" }"));
}
// A variable in front of which a value is missing, or which has one of another kind.
std::string WithVariable(const std::string& value) {
  constexpr char kDef[] = "{ name: \"w\" type { dtype: FLOAT32 dims: [2] } }";
  return absl::StrCat(
      InFunction(absl::StrCat("variables ", kDef, "results { name: \"y\" value: \"w\" }")),
      "variables { def ", kDef, " value { type { dtype: FLOAT32 dims: [2] } ", value, " } }");
}

Make Sparse(const std::string& name, const std::string& command) {
  return [=](const std::string& folder) -> Arguments {
    const std::string path = folder + "/" + name;
    data::WriteFileOrDie(path, "");
    std::filesystem::resize_file(path, uintmax_t{1} << 40);
    return {command, name};
  };
}

}  // namespace

std::vector<HostileFile> HostileModels() {
  return {
      {"extents_that_overflow", Command("explain", Relu(InputOf("-1, 1073741824, 1073741824"))),
       "INVALID_ARGUMENT"},
      {"extents_of_2_to_30", Command("explain", Relu(InputOf("-1, 1073741824"))),
       "more than the limit of 134217728 bytes"},
      {"extents_of_2_to_30_run", Command("bench", Relu(InputOf("-1, 1073741824"))),
       "the limit leaves it"},
      {"negative_extents", Command("inspect", Relu(InputOf("-1, -7"))), "INVALID_ARGUMENT"},
      {"extents_of_zero", Command("explain", Relu(InputOf("-1, 0"))), ""},
      {"many_extents", Command("inspect", Relu(InputOf("-1" + Times(100'000, ",1")))),
       "INVALID_ARGUMENT"},
      {"a_chain_of_a_million_nodes", Command("explain", [] { return Chain(1'000'000); }),
       "RESOURCE_EXHAUSTED"},
      {"a_chain_beyond_the_cap", Command("explain", [] { return Chain(100'001); }),
       "100001 nodes; at most 100000"},
      {"a_chain_of_half_the_cap", Command("explain", [] { return Chain(50'000); }), ""},
      {"a_million_equal_words",
       Command("inspect",
               [] {
                 return Relu() + "preprocessing { rule: \"imdb\" num_words: 1000000 maxlen: 4 " +
                        Times(1'000'000, "words: \"a\"") + "}";
               }),
       ""},
      {"names_that_a_terminal_obeys", Command("inspect", Named("\\033[2J\\033]0;owned\\007")), ""},
      {"names_of_c1_controls", Command("inspect", Named("\\302\\2332J")), ""},
      {"names_that_turn_direction", Command("inspect", Named("\\342\\200\\256evil\\342\\201\\246")),
       ""},
      {"errors_that_a_terminal_obeys",
       Command("inspect", InFunction(absl::StrCat(kInput, OneNode("Re\\033[2Jlu"), kResult))),
       "NOT_FOUND"},
      {"names_without_utf8", Command("inspect", Named("\\377\\376")), "INVALID_ARGUMENT"},
      {"huge_names", Command("inspect", [] { return Named(std::string(10'000'000, 'n')); }),
       "INVALID_ARGUMENT"},
      {"empty_names", Command("inspect", Named("")), "INVALID_ARGUMENT"},
      {"equal_names_of_nodes",
       Command("inspect",
               InFunction(absl::StrCat(kInput, OneNode("Relu"), OneNode("Relu"), kResult))),
       "INVALID_ARGUMENT"},
      {"equal_names_of_functions", Command("inspect", Relu() + Relu().substr(sizeof(kHead) - 1)),
       "has a function"},
      {"equal_names_of_results",
       Command("inspect", InFunction(absl::StrCat(kInput, OneNode("Relu"), kResult, kResult))),
       "INVALID_ARGUMENT"},
      {"a_cycle",
       Command("inspect",
               InFunction(absl::StrCat(
                   kInput,
                   "nodes { name: \"a\" op: \"Add\" inputs: [\"x\", \"y\"] outputs: \"z\" }"
                   "nodes { name: \"b\" op: \"Relu\" inputs: \"z\" outputs: \"y\" }",
                   kResult))),
       "INVALID_ARGUMENT"},
      {"an_input_that_is_not_there",
       Command("inspect", InFunction(absl::StrCat(OneNode("Relu"), kResult))), "INVALID_ARGUMENT"},
      {"a_result_that_is_not_there", Command("inspect", InFunction(absl::StrCat(kInput, kResult))),
       "INVALID_ARGUMENT"},
      {"an_update_of_nothing",
       Command("inspect", InFunction(absl::StrCat(kInput, OneNode("Relu"),
                                                  "updates { variable: \"w\" value: \"y\" }"))),
       "INVALID_ARGUMENT"},
      {"a_variable_without_value",
       Command("inspect", InFunction("variables { name: \"w\" type { dtype: FLOAT32 dims: [2] } }"
                                     "results { name: \"y\" value: \"w\" }")),
       "INVALID_ARGUMENT"},
      {"integers_for_reals", Command("inspect", WithVariable("int32_values: [1, 2]")),
       "INVALID_ARGUMENT"},
      {"too_few_numbers", Command("inspect", WithVariable("float32_values: [1]")),
       "INVALID_ARGUMENT"},
      {"bytes_for_reals", Command("inspect", WithVariable("raw: \"\\001\\002\"")),
       "INVALID_ARGUMENT"},
      {"an_element_type_of_one_byte", Command("inspect", Relu(InputOf("-1, 4", "9"))),
       "INVALID_ARGUMENT"},
      {"settings_that_are_no_number",
       Command("inspect",
               InFunction(absl::StrCat(
                   kInput, OneNode("Elu", "attributes { name: \"alpha\" float_value: nan }"),
                   kResult))),
       "INVALID_ARGUMENT"},
      {"an_op_that_nobody_knows",
       Command("inspect", InFunction(absl::StrCat(kInput, OneNode("Explode"), kResult))),
       "NOT_FOUND"},
      {"an_op_of_the_future",
       Command("inspect",
               InFunction(absl::StrCat(kInput, OneNode("Relu", "op_version: 99"), kResult))),
       "FAILED_PRECONDITION"},
      {"a_format_of_the_future",
       Command("inspect", "magic: \"seqgraph model\" format_version: 999"), "FAILED_PRECONDITION"},
      {"deep_nesting", Command("inspect", absl::StrCat(kHead, Times(100'000, "layers { "))),
       "INVALID_ARGUMENT"},
      {"nothing_as_text", Command("inspect", ""), "INVALID_ARGUMENT"},
      {"nothing_as_bytes", Command("inspect", "", "h.pb"), "h.pb"},
      {"a_length_beyond_the_file",
       Command("inspect", "\x0a\x0eseqgraph model\x10\x01\x82\x01\xff\xff\xff\xff\x07", "h.pb"),
       "h.pb"},
      {"a_terabyte_of_holes", Sparse("holes.pb", "inspect"), "holes.pb"},
  };
}

}  // namespace seqgraph
