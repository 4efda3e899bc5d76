// What a function for inference keeps between calls follows the weights, on every backend: whether
// they are assigned or trained by another function, for one review and for many.

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "graph/model.h"
#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "tests/testing.h"
#include "training/initializers.h"
#include "training/text_models.h"

namespace seqgraph {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

constexpr int64_t kRows = 30, kTime = 20, kTrainBatch = 4;

struct Params {
  const char* backends;
  int64_t batch;
};

class ConstantValuesTest : public ::testing::TestWithParam<Params> {
 protected:
  void SetUp() override {
    SEQ_ASSERT_OK_AND_ASSIGN(
        model_, MakeTextModel({.num_words = kRows, .maxlen = kTime},
                              {.optimizer = RMSProp{.learning_rate = 0.1}, .seed = 3}));
    SEQ_ASSERT_OK(InitializeVariables(3, model_.variables));
    Compile("predict", GetParam().backends, GetParam().batch, predict_);
    Compile("train_step", GetParam().backends, kTrainBatch, train_);
  }

  void Compile(const char* name, const char* backends, int64_t batch,
               std::unique_ptr<CompiledFunction>& compiled) {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto list, AllBackends().ParseList(backends));
    SEQ_ASSERT_OK_AND_ASSIGN(const Function* function, model_.GetFunction(name));
    SEQ_ASSERT_OK_AND_ASSIGN(
        compiled,
        CompiledFunction::Compile(*function, AllOps(), &model_.variables,
                                  {.backends = list, .batch = batch, .passes = StandardPasses()}));
    auto* tokens = static_cast<int32_t*>(compiled->input(compiled->FindInput("tokens")));
    for (int64_t i = 0; i < batch * kTime; ++i) {
      tokens[i] = static_cast<int32_t>((7 * i + i / kTime) % kRows);
    }
    const int labels = compiled->FindInput("labels");
    for (int64_t i = 0; labels >= 0 && i < batch; ++i) {
      static_cast<float*>(compiled->input(labels))[i] = static_cast<float>(i % 2);
    }
  }

  std::vector<float> Probabilities(CompiledFunction& function) {
    const absl::Status status = function.Run();
    EXPECT_TRUE(status.ok()) << status;
    const Tensor result = function.Result(function.FindResult("probability"));
    const absl::Span<const float> elements = result.Elements<float>();
    return {elements.begin(), elements.end()};
  }

  // As the meaning of the ops has it: `reference` without passes, compiled anew, so that nothing is
  // kept from before.
  std::vector<float> Expected() {
    auto fresh = CompiledFunction::Compile(
        **model_.GetFunction("predict"), AllOps(), &model_.variables,
        {.backends = {*AllBackends().Get("reference")}, .batch = GetParam().batch});
    SEQ_CHECK(fresh.ok());
    std::memcpy((*fresh)->input(0), predict_->input(0), GetParam().batch * kTime * sizeof(int32_t));
    return Probabilities(**fresh);
  }

  void ExpectFollowsWeights() {
    const std::vector<float> expected = Expected();
    for (int call = 0; call < 2; ++call) {
      EXPECT_THAT(Probabilities(*predict_), Pointwise(FloatNear(2e-6f), expected)) << call;
    }
  }

  Model model_;
  std::unique_ptr<CompiledFunction> predict_, train_;
};

TEST_P(ConstantValuesTest, TheProjectedTableIsKept) {
  const std::vector<bool>& kept = predict_->constant_nodes();
  ASSERT_EQ(kept.size(), predict_->function().nodes().size());
  std::vector<std::string> ops;
  for (size_t n = 0; n < kept.size(); ++n) {
    if (kept[n]) ops.push_back(predict_->function().nodes()[n].op->name());
  }
  EXPECT_THAT(ops, ::testing::ElementsAre("Dense"));
  // All weights are updated in training: nothing but numbers could be kept.
  for (size_t n = 0; n < train_->constant_nodes().size(); ++n) {
    EXPECT_FALSE(train_->constant_nodes()[n]) << train_->function().nodes()[n].name;
  }
}

TEST_P(ConstantValuesTest, AnAssignedWeightCounts) {
  ExpectFollowsWeights();
  for (const char* name : {"simple_rnn/kernel", "embedding/embeddings", "simple_rnn/bias",
                           "simple_rnn/recurrent_kernel", "dense/kernel"}) {
    SCOPED_TRACE(name);
    Tensor value = model_.variables.Find(name)->value;
    for (float& element : value.Elements<float>()) element = 0.5f * element + 0.125f;
    SEQ_ASSERT_OK(model_.variables.Assign(name, value));
    ExpectFollowsWeights();
  }
}

TEST_P(ConstantValuesTest, ATrainingStepOverTheSameVariablesCounts) {
  ExpectFollowsWeights();
  const std::vector<float> before = Probabilities(*predict_);
  for (int step = 0; step < 3; ++step) {
    SEQ_ASSERT_OK(train_->Run());
    ExpectFollowsWeights();
  }
  const std::vector<float> after = Probabilities(*predict_);
  for (size_t i = 0; i < after.size(); ++i) EXPECT_NE(after[i], before[i]) << i;
}

INSTANTIATE_TEST_SUITE_P(Backends, ConstantValuesTest,
                         ::testing::Values(Params{"reference", 1}, Params{"reference", 9},
                                           Params{"onednn", 1}, Params{"onednn", 9},
                                           Params{"simd", 1}, Params{"simd", 9},
                                           Params{"simd,onednn", 9}, Params{"onednn,simd", 1}),
                         [](const auto& info) {
                           std::string name = info.param.backends;
                           for (char& c : name) c = c == ',' ? '_' : c;
                           return name + "_batch" + std::to_string(info.param.batch);
                         });

}  // namespace
}  // namespace seqgraph
