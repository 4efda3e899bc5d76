// Models that PyTorch wrote, with the probabilities that it computed.

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "data/npy.h"
#include "ops/all_ops.h"
#include "serialization/onnx/onnx_reader.h"
#include "tests/testing.h"
#include "training/model_runner.h"

namespace seqgraph {
namespace {

constexpr double kBar = 2e-6;

class SharedModel : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(SharedModel, GivesTheSameProbabilities) {
  const auto& [name, backend] = GetParam();
  SEQ_SHARED_OR_SKIP(folder, "onnx");
  SEQ_ASSERT_OK_AND_ASSIGN(Model model,
                           LoadOnnx(absl::StrCat(folder, "/", name, ".onnx"), AllOps()));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto arrays,
                           data::ReadNpz(absl::StrCat(folder, "/", name, ".npz")));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto tokens, arrays.at("tokens").Values<int64_t>());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto expected, arrays.at("probability").Values<float>());
  const int64_t rows = arrays.at("tokens").shape[0], time = arrays.at("tokens").shape[1];
  ModelRunner runner(&model, {.backend = backend});
  SEQ_ASSERT_OK_AND_ASSIGN(CompiledFunction* const predict, runner.Compile("predict", rows));
  SEQ_ASSERT_OK(predict->SetInput(predict->FindInput("tokens"),
                                  Tensor::Of<int64_t>({rows, time}, tokens).Cast(DType::kInt32)));
  SEQ_ASSERT_OK(predict->Run());
  const Tensor actual = predict->Result(predict->FindResult("probability"));
  ASSERT_EQ(actual.num_elements(), rows);
  double worst = 0;
  for (int64_t i = 0; i < rows; ++i) {
    worst = std::max(worst, std::abs(double{actual.Elements<float>()[i]} - expected[i]));
  }
  EXPECT_LT(worst, kBar);
  std::printf("largest difference %.1e\n", worst);
}

INSTANTIATE_TEST_SUITE_P(PyTorch, SharedModel,
                         testing::Combine(testing::Values("torch_embedding_rnn", "torch_lstm",
                                                          "torch_onehot_rnn"),
                                          testing::Values("reference", "onednn", "simd")),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param), "_",
                                               std::get<1>(info.param));
                         });

}  // namespace
}  // namespace seqgraph
