// RNN, LSTM and GRU with activations, numbers and gates of all kinds (make_gates.py), operators of
// other domains and functions of models (make_domains.py): what ONNX Runtime computed, from the
// model as it is and as it is written back.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "data/npy.h"
#include "graph/cell_functions.h"
#include "ops/all_ops.h"
#include "serialization/onnx/onnx_reader.h"
#include "serialization/onnx/onnx_writer.h"
#include "tests/testing.h"
#include "training/model_runner.h"

namespace seqgraph::onnx {
namespace {

constexpr char kFolder[] = "tests/onnx/";
constexpr double kBar = 2e-6;

template <typename T>
absl::StatusOr<Tensor> TensorAs(const data::NpyArray& array) {
  Shape shape;
  for (int64_t extent : array.shape) shape.Append(extent);
  SEQ_ASSIGN_OR_RETURN(const auto values, array.Values<T>());
  return Tensor::Of<T>(shape, values);
}

absl::StatusOr<Tensor> TensorOf(const data::NpyArray& array) {
  if (array.type == data::NpyType::kInt32) return TensorAs<int32_t>(array);
  if (array.type == data::NpyType::kInt64) return TensorAs<int64_t>(array);
  return TensorAs<float>(array);
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const std::string part : {"gates/", "domains/"}) {
    for (const auto& entry : std::filesystem::directory_iterator(kFolder + part)) {
      if (entry.path().extension() != ".onnx") continue;
      names.push_back(part + entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<Model> Load(const std::string& name) {
  return LoadOnnx(absl::StrCat(kFolder, name, ".onnx"), AllOps());
}

class Gates : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void ExpectOutputs(Model& model) {
    const auto& [name, backend] = GetParam();
    SEQ_ASSERT_OK_AND_ASSIGN(const auto arrays, data::ReadNpz(absl::StrCat(kFolder, name, ".npz")));
    ModelRunner runner(&model, {.backend = backend});
    SEQ_ASSERT_OK_AND_ASSIGN(CompiledFunction* const predict, runner.Compile("predict", 3));
    for (size_t i = 0; i < predict->function().inputs().size(); ++i) {
      SEQ_ASSERT_OK_AND_ASSIGN(const Tensor input, TensorOf(arrays.at(absl::StrCat("in_", i))));
      SEQ_ASSERT_OK(predict->SetInput(static_cast<int>(i), input));
    }
    SEQ_ASSERT_OK(predict->Run());
    const size_t results = predict->function().results().size();
    ASSERT_EQ(arrays.count(absl::StrCat("out_", results - 1)), 1);
    for (size_t o = 0; o < results; ++o) {
      SCOPED_TRACE(absl::StrCat("output ", o));
      SEQ_ASSERT_OK_AND_ASSIGN(const Tensor expected, TensorOf(arrays.at(absl::StrCat("out_", o))));
      const Tensor actual = predict->Result(static_cast<int>(o));
      ASSERT_EQ(actual.type(), expected.type());
      const Tensor x = actual.Cast(DType::kFloat64), y = expected.Cast(DType::kFloat64);
      for (int64_t i = 0; i < actual.num_elements(); ++i) {
        ASSERT_NEAR(x.Elements<double>()[i], y.Elements<double>()[i], kBar) << i;
      }
    }
  }
};

TEST_P(Gates, GiveWhatOnnxRuntimeGives) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Load(std::get<0>(GetParam())));
  ExpectOutputs(model);
}

TEST_P(Gates, AreWrittenBack) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, Load(std::get<0>(GetParam())));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes, SerializeOnnx(model));
  SEQ_ASSERT_OK_AND_ASSIGN(Model back, ParseOnnx(bytes, AllOps()));
  ExpectOutputs(back);
}

INSTANTIATE_TEST_SUITE_P(
    Models, Gates,
    testing::Combine(testing::ValuesIn(Names()),
                     testing::Values("reference", "onednn,reference", "simd,reference")),
    [](const auto& info) {
      const std::string& backend = std::get<1>(info.param);
      return absl::StrReplaceAll(
          absl::StrCat(std::get<0>(info.param), "_", backend.substr(0, backend.find(','))),
          {{"/", "_"}});
    });

// What the cells of a model are, in the order of its nodes.
std::vector<CellFunctions> FunctionsOf(const Model& model) {
  std::vector<CellFunctions> functions;
  for (const Node& node : model.functions[0].nodes()) {
    if (!node.op->recurrence().has_value()) continue;
    functions.push_back(*CellFunctionsOf(node.op->recurrence()->cell, node.attributes));
  }
  return functions;
}

// Numbers go to the activations that take one, in their order; what is left out has ONNX's default.
TEST(GatesOfModels, TakeTheirNumbersInOrder) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model lstm, Load("gates/lstm_two_directions"));
  const std::vector<CellFunctions> both = FunctionsOf(lstm);
  ASSERT_EQ(both.size(), 2);
  EXPECT_EQ(ActivationText(both[0].gates), "sigmoid");
  EXPECT_EQ(ActivationText(both[0].output), "softsign");
  EXPECT_EQ(ActivationText(both[1].gates), "hard_sigmoid(0.25,0.5)");
  EXPECT_EQ(ActivationText(both[1].state), "scaled_tanh(1.25,0.75)");
  EXPECT_EQ(ActivationText(both[1].output), "relu");
  EXPECT_TRUE(both[0].peepholes);
  SEQ_ASSERT_OK_AND_ASSIGN(const Model gru, Load("gates/gru_hard_sigmoid"));
  EXPECT_EQ(ActivationText(FunctionsOf(gru)[0].gates), "hard_sigmoid(0.2,0.5)");
}

// A plain cell is read as what it always was, so that older programs read what is saved of it.
TEST(GatesOfModels, ArePlainWhereTheyCanBe) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, Load("gates/lstm_peepholes"));
  for (const Node& node : model.functions[0].nodes()) {
    if (!node.op->recurrence().has_value()) continue;
    EXPECT_EQ(node.attributes.GetString("activation"), "tanh");
    EXPECT_EQ(node.attributes.GetString("activations"), "");
  }
}

}  // namespace
}  // namespace seqgraph::onnx
