#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/atomic_file.h"
#include "base/zip.h"
#include "google/protobuf/stubs/logging.h"
#include "graph/verifier.h"
#include "layers/all_layers.h"
#include "layers/layer_emission.h"
#include "ops/all_ops.h"
#include "serialization/graph_test_case.h"
#include "serialization/hdf5/reader.h"
#include "serialization/hdf5/writer.h"
#include "serialization/keras/keras_io.h"
#include "serialization/model_io.h"
#include "serialization/model_parts.h"
#include "serialization/onnx/onnx_reader.h"
#include "serialization/onnx/onnx_writer.h"
#include "serialization/records.h"
#include "tests/fuzz/seed_models.h"
#include "tests/fuzz/targets/targets.h"

namespace seqgraph {
namespace {

bool Keras(absl::string_view bytes) {
  const absl::StatusOr<keras::KerasModel> model = keras::ParseKerasModel(bytes);
  if (!FuzzOk(model.status())) return false;
  const absl::StatusOr<std::string> again = keras::KerasZip(*model);
  if (!FuzzOk(again.status())) return true;
  const absl::StatusOr<keras::KerasModel> reread = keras::ParseKerasModel(*again);
  FuzzCheck(reread.ok(), reread.status().ToString());
  return true;
}

// Behind the zip, whose check sums hide the rest: configuration and weights.
bool KerasParts(absl::string_view bytes) {
  const std::vector<std::string> files = UnpackFiles(bytes, 2);
  const absl::StatusOr<std::string> zip =
      WriteZip({{"config.json", files[0]}, {"model.weights.h5", files[1]}});
  return zip.ok() && Keras(*zip);
}

bool Hdf5(absl::string_view bytes) {
  const absl::StatusOr<hdf5::Node> tree = hdf5::ReadTree(bytes);
  if (!FuzzOk(tree.status())) return false;
  const absl::StatusOr<std::string> again = hdf5::WriteTree(*tree);
  if (again.ok()) {
    const absl::Status reread = hdf5::ReadTree(*again).status();
    FuzzCheck(reread.ok(), reread.ToString());
  }
  return true;
}

bool Onnx(absl::string_view bytes) {
  google::protobuf::LogSilencer silencer;  // it says so when a text is not UTF-8
  const absl::StatusOr<Model> model = ParseOnnx(bytes, AllOps());
  if (!FuzzOk(model.status())) return false;
  const absl::Status verified = VerifyModel(*model);
  FuzzCheck(verified.ok(), verified.ToString());
  FuzzOk(SerializeOnnx(*model).status());
  return true;
}

bool CheckModel(absl::string_view bytes, ModelFormat format) {
  google::protobuf::LogSilencer silencer;
  std::vector<SelfTest> tests;
  const absl::StatusOr<Model> model = ParseModel(bytes, format, AllOps(), &tests);
  if (!FuzzOk(model.status())) return false;
  const absl::Status verified = VerifyModel(*model);
  FuzzCheck(verified.ok(), verified.ToString());
  const absl::StatusOr<std::string> again = SerializeModel(*model, format, tests);
  FuzzCheck(again.ok(), again.status().ToString());
  const absl::StatusOr<Model> reread = ParseModel(*again, format, AllOps());
  FuzzCheck(reread.ok(), reread.status().ToString());
  return true;
}

// With the right checksum, behind which all the rest lies.
bool ModelContent(absl::string_view bytes) {
  return CheckModel(SealedFile(std::string(bytes)), ModelFormat::kBinary);
}

// Without a header, which a person who edits a file removes too.
bool ModelText(absl::string_view bytes) { return CheckModel(bytes, ModelFormat::kText); }

// Each part of a file that may be damaged.
bool WholeModel(absl::string_view bytes) {
  google::protobuf::LogSilencer silencer;
  FindModelParts(bytes, ModelFormat::kBinary, AllOps());
  return CheckModel(bytes, ModelFormat::kBinary);
}

// What a test of a graph says, which names models beside it: here there are none.
bool GraphTests(absl::string_view bytes) {
  google::protobuf::LogSilencer silencer;
  const auto tests = ParseGraphTests(bytes, "/nonexistent", AllOps());
  if (!FuzzOk(tests.status())) return false;
  for (const GraphTestCase& test : *tests) {
    const auto again = ParseGraphTests(GraphTestToText(test), "/nonexistent", AllOps());
    FuzzCheck(again.ok(), again.status().ToString());
  }
  return true;
}

bool CheckRecords(absl::string_view bytes) {
  const RecordsRead read = DecodeRecords(bytes);
  FuzzOk(read.status);
  for (const auto& [name, value] : read.records.all()) {
    FuzzCheck(SameBits(value, value), name);
  }
  return read.status.ok();
}

bool RecordsFile(absl::string_view bytes) {
  CheckRecords(bytes);
  return CheckRecords(SealedRecords(bytes));
}

// Seeds: small, since a mutation of a large file mostly hits numbers.

std::vector<Model> SmallModels() {
  std::vector<Model> models;
  for (const LayerStack& stack : StreamStacks()) {
    absl::StatusOr<Model> model = StackModel(stack, 1);
    if (model.ok()) models.push_back(*std::move(model));
  }
  return models;
}

std::vector<keras::KerasModel> KerasModels() {
  std::vector<keras::KerasModel> models;
  for (LayerStack& stack : LayerStacks()) {
    const auto weights = keras::WeightsOf(stack);
    if (!weights.ok()) continue;
    keras::KerasModel model;
    for (const keras::Weight& weight : keras::AllWeights(*weights)) {
      model.weights.push_back({weight.variable, *Tensor::Zeros({DType::kFloat32, weight.shape})});
    }
    model.stack = std::move(stack);
    models.push_back(std::move(model));
  }
  return models;
}

std::vector<std::string> KerasSeeds() {
  std::vector<std::string> seeds;
  const std::vector<keras::KerasModel> models = KerasModels();
  for (size_t i = 0; i < models.size(); i += 36) {
    const absl::StatusOr<std::string> zip = keras::KerasZip(models[i]);
    const auto old = keras::KerasHdf5(models[i], keras::Layout::kKeras2);
    if (zip.ok()) seeds.push_back(*zip);
    if (old.ok() && i == 0) seeds.push_back(*old);
  }
  return seeds;
}

std::vector<std::string> KerasPartsSeeds() {
  std::vector<std::string> seeds;
  for (const keras::KerasModel& model : KerasModels()) {
    const absl::StatusOr<std::string> zip = keras::KerasZip(model);
    const absl::StatusOr<std::string> weights = keras::KerasWeightsHdf5(model);
    if (!zip.ok() || !weights.ok() || weights->size() > 9000) continue;
    seeds.push_back(PackFiles({ReadZip(*zip, 1 << 30)->at("config.json"), *weights}));
  }
  // A few: all have the same envelope.
  std::vector<std::string> some;
  for (size_t i = 0; i < seeds.size(); i += 18) some.push_back(std::move(seeds[i]));
  return some;
}

std::vector<std::string> Hdf5Seeds() {
  hdf5::Node tree;
  tree.Put("a/x", Tensor::Scalar(1.5f));
  tree.Put("a/b/y", Tensor::Scalar<int64_t>(7));
  tree.SetText("text", "some text");
  tree.Group("a").SetTexts("texts", {"one", "", "three"});
  return {*hdf5::WriteTree(hdf5::Node()), *hdf5::WriteTree(tree)};
}

std::vector<std::string> OnnxSeeds() {
  std::vector<std::string> seeds;
  for (const Model& model : SmallModels()) {
    const absl::StatusOr<std::string> bytes = SerializeOnnx(model);
    if (bytes.ok()) seeds.push_back(*bytes);
  }
  return seeds;
}

std::vector<std::string> ModelContentSeeds() {
  std::vector<std::string> seeds;
  for (const Model& model : SmallModels()) seeds.push_back(UnsealedFile(model));
  return seeds;
}

std::vector<std::string> ModelPartsSeeds() {
  const std::vector<Model> models = SmallModels();
  return {SealedFile(UnsealedFile(models[0])), SealedFile(UnsealedFile(models.back()))};
}

std::vector<std::string> ModelTextSeeds() {
  std::vector<std::string> seeds;
  const std::vector<Model> models = SmallModels();
  for (size_t i = 0; i < models.size(); i += 4) {
    std::string text = *SerializeModel(models[i], ModelFormat::kText);
    // The checksum is in a comment of the header, and goes with it.
    while (!text.empty() && text[0] == '#') text.erase(0, text.find('\n') + 1);
    seeds.push_back(std::move(text));
  }
  return seeds;
}

std::vector<std::string> GraphTestsSeeds() {
  return {R"(cases {
  name: "product" source: "by hand" node { op: "Multiply" inputs: ["a", "b"] }
  inputs { name: "a" tensor { type { dtype: FLOAT32 dims: [2] } float32_values: [4, 1.5] } }
  inputs { name: "b" tensor { type { dtype: FLOAT32 dims: [2] } float32_values: [2, -2] } }
  results { name: "y" tensor { type { dtype: FLOAT64 dims: [2] } float64_values: [8, -3] } }
  tolerances { name: "results/y" absolute: 0.5 relative: 0.25 }
  gradient {
    weights { name: "y" tensor { type { dtype: FLOAT32 dims: [2] } float32_values: [2, 4] } }
    expected { name: "a" tensor { type { dtype: FLOAT64 dims: [2] } float64_values: [4, -8] } }
  }
})",
          R"(cases {
  name: "f" batch: 2
  function {
    name: "f"
    inputs { name: "x" type { dtype: FLOAT32 dims: [-1, 1] } }
    variables { name: "w" type { dtype: FLOAT32 dims: [2, 1] } }
    nodes { name: "product" op: "Multiply" inputs: ["x", "x"] outputs: "p" }
    results { name: "y" value: "p" }
    updates { variable: "w" value: "w" }
  }
  inputs { name: "x" tensor { type { dtype: FLOAT32 dims: [2, 1] } float32_values: [1, 2] } }
  variables { name: "w" tensor { type { dtype: FLOAT32 dims: [2, 1] } float32_values: [7, 0] } }
  results { name: "y" tensor { type { dtype: FLOAT64 dims: [2, 1] } float64_values: [1, 4] } }
})"};
}

std::vector<std::string> RecordsSeeds() {
  Records records;
  records.Set("int", int64_t{7});
  records.Set("double", 0.5);
  records.Set("text", std::string("some text"));
  records.Set("ints", std::vector<int64_t>{1, 2});
  records.Set("doubles", std::vector<double>{1, 2});
  records.Set("texts", std::vector<std::string>{"a", "", "b"});
  records.Set("tensor", Tensor::Scalar(1.5f));
  const std::string path = FuzzFile("seed.seqrun", "");
  FuzzCheck(WriteRecords(records, path).ok(), path);
  return {*ReadFile(path, 1 << 20)};
}

}  // namespace

const std::vector<FuzzTarget>& ModelTargets() {
  static const auto* const targets = new std::vector<FuzzTarget>{
      {"keras", Keras, KerasSeeds, 30},
      {"keras_parts", KerasParts, KerasPartsSeeds, 30},
      {"hdf5", Hdf5, Hdf5Seeds, 60},
      {"onnx", Onnx, OnnxSeeds, 60},
      {"model", ModelContent, ModelContentSeeds},
      {"model_parts", WholeModel, ModelPartsSeeds},
      {"model_text", ModelText, ModelTextSeeds},
      {"graph_tests", GraphTests, GraphTestsSeeds},
      {"records", RecordsFile, RecordsSeeds},
  };
  return *targets;
}

}  // namespace seqgraph
