// Models of ONNX and Keras.

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/substitute.h"
#include "base/zip.h"
#include "data/testing/test_util.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "serialization/onnx/onnx.pb.h"
#include "tests/hostile/hostile_file.h"

namespace seqgraph {
namespace {

using Make = std::function<Arguments(const std::string& folder)>;

// `inspect` of an ONNX model whose graph has, besides input x and output y, these parts.
Make Onnx(std::function<std::string()> parts) {
  return [=](const std::string& folder) -> Arguments {
    onnx_proto::ModelProto model;
    const std::string text = absl::Substitute(
        "ir_version: 8 opset_import { version: 17 } graph { name: \"g\" "
        "input { name: \"x\" type { tensor_type { elem_type: 1 shape { dim { dim_param: \"n\" } "
        "dim { dim_value: 4 } } } } } output { name: \"y\" } $0 }",
        parts());
    google::protobuf::TextFormat::Parser parser;
    parser.SetRecursionLimit(1 << 20);
    EXPECT_TRUE(parser.ParseFromString(text, &model)) << text.substr(0, 500);
    data::WriteFileOrDie(folder + "/h.onnx", model.SerializeAsString());
    return {"inspect", "h.onnx"};
  };
}
Make Onnx(const std::string& parts) {
  return Onnx([parts] { return parts; });
}

std::string Operator(const std::string& op, const std::string& inputs, const std::string& output,
                     const std::string& more = "") {
  return absl::Substitute("node { op_type: \"$0\" input: [$1] output: \"$2\" $3 } ", op, inputs,
                          output, more);
}

// y = x + w, with w as that says.
std::string AddsInitializer(const std::string& tensor) {
  return absl::StrCat("initializer { name: \"w\" data_type: 1 ", tensor, " }",
                      Operator("Add", "\"x\", \"w\"", "y"));
}
Make External(const std::string& location, std::function<void(const std::string&)> prepare) {
  return [=](const std::string& folder) -> Arguments {
    data::WriteFileOrDie(folder + "/secret", "0123456789abcdef");
    prepare(folder);
    return Onnx(AddsInitializer(absl::Substitute(
        "dims: 4 data_location: EXTERNAL external_data { key: \"location\" value: \"$0\" }",
        location)))(folder);
  };
}
Make External(const std::string& location) {
  return External(location, [](const std::string&) {});
}

// An If in an If, so deep.
std::string Nested(int depth) {
  std::string inner = Operator("Relu", "\"x\"", "z");
  for (int i = 0; i < depth; ++i) {
    const std::string branch =
        absl::StrCat("type: GRAPH g { name: \"b\" output { name: \"z\" } ", inner, " } }");
    inner =
        Operator("If", "\"c\"", i + 1 < depth ? "z" : "y",
                 absl::StrCat("attribute { name: \"then_branch\" ", branch,
                              "attribute { name: \"else_branch\" ", "type: GRAPH g { name: \"e\" ",
                              "output { name: \"z\" } ", Operator("Relu", "\"x\"", "z"), "} } "));
  }
  return absl::StrCat("initializer { name: \"c\" data_type: 9 int32_data: 1 }", inner);
}

std::string Int64s(const std::string& name, const std::string& dims, const std::string& values) {
  return absl::Substitute("initializer { name: \"$0\" data_type: 7 dims: [$1] int64_data: [$2] } ",
                          name, dims, values);
}

// `inspect` of the good Keras file after `change` of its files.
using Files = std::map<std::string, std::string>;
Make Keras(std::function<void(Files&)> change) {
  return [=](const std::string& folder) -> Arguments {
    Files files = *ReadZip(data::ReadFileOrDie(folder + "/m.keras"), 1 << 30);
    change(files);
    data::WriteFileOrDie(
        folder + "/h.keras",
        *WriteZip(std::vector<std::pair<std::string, std::string>>(files.begin(), files.end())));
    return {"inspect", "h.keras"};
  };
}
Make KerasConfig(const std::string& from, const std::string& to) {
  return Keras([=](Files& files) {
    const int replaced = absl::StrReplaceAll({{from, to}}, &files.at("config.json"));
    EXPECT_GT(replaced, 0) << files.at("config.json");
  });
}
// The same after `change` of its bytes.
Make KerasBytes(std::function<void(std::string&)> change) {
  return [=](const std::string& folder) -> Arguments {
    std::string bytes = data::ReadFileOrDie(folder + "/m.keras");
    change(bytes);
    data::WriteFileOrDie(folder + "/h.keras", bytes);
    return {"inspect", "h.keras"};
  };
}

// Offset of the size, as the n-th entry of a zip's directory has it, and of where that entry lies.
size_t DirectoryEntry(const std::string& zip, int n) {
  size_t at = zip.find("PK\x01\x02");
  for (; n > 0; --n) at = zip.find("PK\x01\x02", at + 4);
  return at;
}
constexpr size_t kPackedSize = 20, kSize = 24, kWhere = 42;

void Overlap(std::string& zip) {
  zip.replace(DirectoryEntry(zip, 1) + kWhere, 4, zip.substr(DirectoryEntry(zip, 0) + kWhere, 4));
}

std::vector<HostileFile> OfOnnx() {
  return {
      {"onnx_data_outside_of_the_folder", External("../secret"), "must not leave"},
      {"onnx_data_at_an_absolute_path", External("/etc/passwd"), "relative to the model's folder"},
      {"onnx_data_behind_a_link",
       External("link",
                [](const std::string& folder) {
                  std::filesystem::remove(folder + "/link");
                  std::filesystem::create_symlink("secret", folder + "/link");
                }),
       "links are not followed"},
      {"onnx_data_that_is_too_short",
       [](const std::string& folder) {
         data::WriteFileOrDie(folder + "/short", "0123");
         return External("short")(folder);
       },
       "INVALID_ARGUMENT"},
      {"onnx_extents_without_data", Onnx(AddsInitializer("dims: [1073741824, 1073741824]")),
       "INVALID_ARGUMENT"},
      {"onnx_negative_extents", Onnx(AddsInitializer("dims: -4 float_data: 1")),
       "INVALID_ARGUMENT"},
      {"onnx_another_type_of_data", Onnx(AddsInitializer("dims: 4 int32_data: [1, 2, 3, 4]")),
       "INVALID_ARGUMENT"},
      {"onnx_bytes_of_another_size", Onnx(AddsInitializer("dims: 4 raw_data: \"12345\"")),
       "INVALID_ARGUMENT"},
      {"onnx_constants_of_2_to_40",
       Onnx(Int64s("s", "2", "1048576, 1048576") + Operator("ConstantOfShape", "\"s\"", "z") +
            Operator("Add", "\"x\", \"z\"", "y")),
       "h.onnx"},
      {"onnx_tiles_of_2_to_40",
       Onnx(Int64s("s", "2", "1048576, 1048576") + Operator("Tile", "\"x\", \"s\"", "y")),
       "h.onnx"},
      {"onnx_a_range_of_2_to_40",
       Onnx(Int64s("a", "", "0") + Int64s("b", "", "1099511627776") + Int64s("c", "", "1") +
            Operator("Range", "\"a\", \"b\", \"c\"", "y")),
       "h.onnx"},
      {"onnx_a_loop_of_2_to_40_rounds",
       Onnx(Int64s("m", "", "1099511627776") +
            Operator(
                "Loop", "\"m\", \"\", \"x\"", "y",
                "attribute { name: \"body\" type: GRAPH g { name: \"b\" input { name: \"i\" } "
                "input { name: \"go\" } input { name: \"v\" } output { name: \"go\" } "
                "output { name: \"w\" } node { op_type: \"Tanh\" input: \"v\" output: \"w\" } } "
                "} ")),
       "h.onnx"},
      {"onnx_graphs_in_graphs", Onnx([] { return Nested(20); }), "h.onnx"},
      {"onnx_very_deep_graphs", Onnx([] { return Nested(150); }), "h.onnx"},
      {"onnx_a_function_that_calls_itself",
       [](const std::string& folder) {
         const Arguments arguments = Onnx(Operator("F", "\"x\"", "y", "domain: \"own\""))(folder);
         onnx_proto::ModelProto model;
         EXPECT_TRUE(model.ParseFromString(data::ReadFileOrDie(folder + "/h.onnx")));
         model.add_opset_import()->set_domain("own");
         EXPECT_TRUE(google::protobuf::TextFormat::MergeFromString(
             "functions { name: \"F\" domain: \"own\" input: \"a\" output: \"b\" "
             "node { op_type: \"F\" domain: \"own\" input: \"a\" output: \"b\" } }",
             &model));
         data::WriteFileOrDie(folder + "/h.onnx", model.SerializeAsString());
         return arguments;
       },
       "h.onnx"},
      {"onnx_a_cycle", Onnx(Operator("Add", "\"x\", \"y\"", "z") + Operator("Relu", "\"z\"", "y")),
       "h.onnx"},
      {"onnx_a_chain_beyond_the_cap", Onnx([] {
         std::string nodes = Operator("Relu", "\"x\"", "a0");
         for (int i = 1; i < 100'002; ++i) {
           nodes += Operator("Relu", absl::StrCat("\"a", i - 1, "\""), absl::StrCat("a", i));
         }
         return nodes + Operator("Relu", "\"a100001\"", "y");
       }),
       "100000"},
      {"onnx_operators_of_the_future", Onnx(Operator("Relu", "\"x\"", "y", "domain: \"\\033[2J\"")),
       "h.onnx"},
      {"onnx_of_nothing",
       [](const std::string& folder) -> Arguments {
         data::WriteFileOrDie(folder + "/h.onnx", "");
         return {"inspect", "h.onnx"};
       },
       "h.onnx"},
  };
}

std::vector<HostileFile> OfKeras() {
  return {
      {"keras_nested_json", Keras([](Files& files) {
         files["config.json"] = Times(200'000, "[") + Times(200'000, "]");
       }),
       "h.keras"},
      {"keras_units_of_2_to_40", KerasConfig("\"units\":4", "\"units\":1099511627776"), "h.keras"},
      {"keras_negative_units", KerasConfig("\"units\":4", "\"units\":-4"), "h.keras"},
      {"keras_other_units", KerasConfig("\"units\":4", "\"units\":5"), "h.keras"},
      {"keras_units_that_are_no_number", KerasConfig("\"units\":4", "\"units\":NaN"), "h.keras"},
      {"keras_a_class_of_pythons",
       KerasConfig("\"class_name\":\"Dense\"", "\"class_name\":\"Lambda\\u001b[2J\""), "h.keras"},
      {"keras_empty_configuration", Keras([](Files& files) { files["config.json"] = ""; }),
       "h.keras"},
      {"keras_empty_weights", Keras([](Files& files) { files["model.weights.h5"] = ""; }),
       "h.keras"},
      {"keras_files_out_of_the_folder",
       Keras([](Files& files) { files["../../evil"] = files["/etc/evil"] = "x"; }), "h.keras"},
      {"keras_names_that_a_terminal_obeys", Keras([](Files& files) { files["\033[2J"] = "x"; }),
       "h.keras"},
      {"keras_a_bomb",
       [](const std::string& folder) -> Arguments {
         data::WriteFileOrDie(
             folder + "/h.keras",
             data::MakeArchive({{"config.json", std::string(size_t{300} << 20, ' ')}},
                               data::Packing::kDeflatedZip));
         return {"inspect", "h.keras"};
       },
       "RESOURCE_EXHAUSTED"},
      {"keras_files_over_one_another", KerasBytes(Overlap), "h.keras"},
      {"keras_wrong_sizes", KerasBytes([](std::string& zip) {
         for (const size_t field : {kPackedSize, kSize}) {
           zip.replace(DirectoryEntry(zip, 1) + field, 4, "\x10\x00\x00\x7f", 4);
         }
       }),
       "h.keras"},
      {"keras_no_directory",
       KerasBytes([](std::string& zip) { zip.resize(DirectoryEntry(zip, 0)); }), "h.keras"},
      {"keras_of_nothing", KerasBytes([](std::string& zip) { zip.clear(); }), "h.keras"},
      {"hdf5_cut_off",
       [](const std::string& folder) -> Arguments {
         const Files files = *ReadZip(data::ReadFileOrDie(folder + "/m.keras"), 1 << 30);
         data::WriteFileOrDie(folder + "/h.h5", files.at("model.weights.h5").substr(0, 600));
         return {"inspect", "h.h5"};
       },
       "h.h5"},
  };
}

}  // namespace

std::vector<HostileFile> HostileForeignModels() {
  std::vector<HostileFile> all = OfOnnx();
  const std::vector<HostileFile> keras = OfKeras();
  all.insert(all.end(), keras.begin(), keras.end());
  return all;
}

}  // namespace seqgraph
