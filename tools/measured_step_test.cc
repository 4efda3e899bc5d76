#include "tools/measured_step.h"

#include <string>
#include <vector>

#include "backends/all_backends.h"
#include "ops/rewrites/all_rewrites.h"
#include "tests/testing.h"
#include "training/text_models.h"

namespace seqgraph::tools {
namespace {

TEST(MeasureStep, CountsGradientsAndTimesThePartsOfAStep) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      Model model,
      MakeTextModel({.num_words = 20, .maxlen = 5, .embedding_dim = 4, .units = 3}, {}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto backends, AllBackends().ParseList(kDefaultBackends));
  const CompileOptions options{.backends = backends, .passes = StandardPasses()};
  SEQ_ASSERT_OK_AND_ASSIGN(const StepFacts facts, MeasureStep(model, 100, 32, options, 0.01));
  EXPECT_EQ(facts.batch, 100);
  EXPECT_EQ(facts.block_rows, 32);
  // Each from a multiple of 16 on: 20 x 4, 4 x 3, 3 x 3, 3, 3 x 1, 1.
  EXPECT_EQ(facts.weights, 80 + 5 * 16);
  EXPECT_EQ(facts.tensors, (std::vector<int64_t>{80, 16, 16, 16, 16, 16}));
  EXPECT_EQ(facts.slots, 1);  // RMSProp
  EXPECT_GT(facts.block_seconds, 0);
  EXPECT_GT(facts.optimizer_seconds, 0);
  EXPECT_GT(facts.backward_share, 0);
  EXPECT_LT(facts.backward_share, 1);
  EXPECT_GT(facts.call_bytes, 32 * 5 * 4);
  SEQ_ASSERT_OK_AND_ASSIGN(const StepFacts small, MeasureStep(model, 10, 32, options, 0.01));
  EXPECT_EQ(small.block_rows, 10);
  Model other;
  EXPECT_TRUE(absl::IsNotFound(MeasureStep(other, 10, 32, options, 0.01).status()));
}

}  // namespace
}  // namespace seqgraph::tools
