// Small models that PyTorch and Keras wrote (make_models.py), with the outputs that they computed.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/npy.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "serialization/onnx/onnx_reader.h"
#include "tests/testing.h"
#include "training/losses.h"
#include "training/model_builder.h"
#include "training/model_runner.h"

namespace seqgraph {
namespace {

constexpr char kFolder[] = "tests/onnx/models";
constexpr double kBar = 2e-6;

absl::StatusOr<Tensor> TensorOf(const data::NpyArray& array) {
  Shape shape;
  for (int64_t extent : array.shape) shape.Append(extent);
  if (array.type == data::NpyType::kInt64) {
    SEQ_ASSIGN_OR_RETURN(const auto values, array.Values<int64_t>());
    return Tensor::Of<int64_t>(shape, values);
  }
  if (array.type == data::NpyType::kInt32) {
    SEQ_ASSIGN_OR_RETURN(const auto values, array.Values<int32_t>());
    return Tensor::Of<int32_t>(shape, values);
  }
  SEQ_ASSIGN_OR_RETURN(const auto values, array.Values<float>());
  return Tensor::Of<float>(shape, values);
}

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".onnx") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class ExportedModel : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(ExportedModel, GivesWhatTheFrameworkComputed) {
  const auto& [name, backend] = GetParam();
  SEQ_ASSERT_OK_AND_ASSIGN(Model model,
                           LoadOnnx(absl::StrCat(kFolder, "/", name, ".onnx"), AllOps()));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto arrays,
                           data::ReadNpz(absl::StrCat(kFolder, "/", name, ".npz")));
  SEQ_ASSERT_OK_AND_ASSIGN(const Tensor tokens, TensorOf(arrays.at("in_0")));
  SEQ_ASSERT_OK_AND_ASSIGN(const Tensor expected, TensorOf(arrays.at("out_0")));
  ModelRunner runner(&model, {.backend = backend});
  SEQ_ASSERT_OK_AND_ASSIGN(CompiledFunction* const predict,
                           runner.Compile("predict", tokens.shape()[0].size()));
  SEQ_ASSERT_OK(predict->SetInput(0, tokens.Cast(DType::kInt32)));
  SEQ_ASSERT_OK(predict->Run());
  const Tensor actual = predict->Result(0);
  ASSERT_EQ(actual.type(), expected.type());
  double worst = 0;
  for (int64_t i = 0; i < actual.num_elements(); ++i) {
    worst = std::max(worst,
                     std::abs(double{actual.Elements<float>()[i]} - expected.Elements<float>()[i]));
  }
  EXPECT_LT(worst, kBar);
}

INSTANTIATE_TEST_SUITE_P(Models, ExportedModel,
                         testing::Combine(testing::ValuesIn(ModelNames()),
                                          testing::Values("reference", "onednn", "simd")),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param), "_",
                                               std::get<1>(info.param));
                         });

TEST(ExportedModels, AreThere) { EXPECT_GE(ModelNames().size(), 17); }

// The layers of a PyTorch model come back as one op each, whatever its exporter transposed around.
TEST(ExportedModels, AreAsShortAsOurOwn) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model,
                           LoadOnnx(absl::StrCat(kFolder, "/torch_legacy_lstm.onnx"), AllOps()));
  std::vector<std::string> ops;
  for (const Node& node : model.functions[0].nodes()) ops.push_back(node.op->name());
  EXPECT_EQ(ops,
            (std::vector<std::string>{"Embedding", "LSTMCell", "TakeStep", "Dense", "Softmax"}));
  EXPECT_EQ(model.functions[0].type(model.functions[0].inputs()[0]),
            (TensorType{DType::kInt32, {Dim::Batch(), 6}}));
}

// An imported model can be trained on: its weights are variables, its function has gradients.
TEST(ExportedModels, LearnOn) {
  for (const char* name : {"torch_legacy_lstm", "torch_dynamo_gru_bidirectional", "keras_gru"}) {
    SCOPED_TRACE(name);
    SEQ_ASSERT_OK_AND_ASSIGN(const Model imported,
                             LoadOnnx(absl::StrCat(kFolder, "/", name, ".onnx"), AllOps()));
    FunctionBuilder predict("predict", AllOps(), imported.functions[0]);
    SEQ_ASSERT_OK_AND_ASSIGN(Model model,
                             MakeTrainable(std::move(predict), {.loss = BinaryCrossEntropy()}));
    for (const Variable& variable : imported.variables.all()) {
      SEQ_ASSERT_OK(model.variables.Assign(variable.def.name, variable.value));
    }
    ModelRunner runner(&model, {.backend = "reference"});
    SEQ_ASSERT_OK_AND_ASSIGN(CompiledFunction* const step, runner.Compile("train_step", 4));
    SampleSource source(1);
    std::vector<double> losses;
    const Tensor tokens = source.Indices({4, 6}, 11);
    SEQ_ASSERT_OK(step->SetInput(0, tokens));
    const TensorType labels = step->function().type(step->function().inputs()[1]);
    SEQ_ASSERT_OK(step->SetInput(1, source.Indices(labels.shape, 2).Cast(labels.dtype)));
    for (int i = 0; i < 20; ++i) {
      SEQ_ASSERT_OK(step->Run());
      losses.push_back(step->Result(step->FindResult("loss")).Elements<float>()[0]);
    }
    EXPECT_LT(losses.back(), losses.front());
  }
}

}  // namespace
}  // namespace seqgraph
