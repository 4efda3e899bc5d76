#include "training/judged_batch.h"

#include <string>
#include <vector>

#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;

// Two outputs: one with labels and weights, one with classes and a mask.
class Example : public JudgedBatch {
 public:
  int64_t batch() const override { return 2; }
  size_t num_outputs() const override { return 2; }
  double loss() const override { return 0.75; }
  double loss(size_t output) const override { return output == 0 ? 0.5 : 0.25; }
  bool has_loss(size_t output) const override { return output == 0; }
  MetricBatch metric_batch(bool weighted, size_t output) const override {
    if (output == 0) {
      return {.rows = 2,
              .predictions = predictions_,
              .labels = labels_,
              .weights = weighted ? absl::Span<const float>(weights_) : absl::Span<const float>()};
    }
    return {.rows = 2, .predictions = predictions_, .classes = classes_, .weights = mask_};
  }

 private:
  std::vector<float> predictions_ = {.1F, .2F, .3F, .4F}, labels_ = {0, 1, 1, 0};
  std::vector<float> weights_ = {2, 3}, mask_ = {1, 0};
  std::vector<int32_t> classes_ = {1, 0};
};

TEST(PackedBatch, IsWhatWasPacked) {
  std::string bytes;
  AppendPacked(Example(), &bytes);
  AppendPacked(Example(), &bytes);
  absl::string_view rest = bytes;
  for (int i = 0; i < 2; ++i) {
    SEQ_ASSERT_OK_AND_ASSIGN(PackedBatch batch, PackedBatch::TakeFrom(&rest));
    EXPECT_EQ(batch.batch(), 2);
    ASSERT_EQ(batch.num_outputs(), 2);
    EXPECT_EQ(batch.loss(), 0.75);
    EXPECT_TRUE(batch.has_loss(0));
    EXPECT_FALSE(batch.has_loss(1));
    EXPECT_THAT(batch.metric_batch(true, 0).weights, ElementsAre(2, 3));
    EXPECT_THAT(batch.metric_batch(false, 0).weights, IsEmpty());
    EXPECT_THAT(batch.metric_batch(false, 0).labels, ElementsAre(0, 1, 1, 0));
    EXPECT_THAT(batch.metric_batch(false, 1).classes, ElementsAre(1, 0));
    EXPECT_THAT(batch.metric_batch(false, 1).weights, ElementsAre(1, 0));
    EXPECT_THAT(batch.metric_batch(true, 1).predictions, ElementsAreArray({.1F, .2F, .3F, .4F}));
    batch.ScaleLosses(2);
    EXPECT_EQ(batch.loss(), 1.5);
    EXPECT_EQ(batch.loss(0), 1);
  }
  EXPECT_TRUE(rest.empty());
}

TEST(PackedBatch, WhatIsCutOffIsRefused) {
  std::string bytes;
  AppendPacked(Example(), &bytes);
  for (size_t length = 0; length < bytes.size(); ++length) {
    absl::string_view part = absl::string_view(bytes).substr(0, length);
    EXPECT_TRUE(absl::IsInvalidArgument(PackedBatch::TakeFrom(&part).status())) << length;
  }
  // More outputs, or elements, than there can be.
  for (const size_t place : {size_t{16}, size_t{48}}) {
    std::string hostile = bytes;
    hostile[place + 7] = 0x7f;
    absl::string_view all = hostile;
    EXPECT_FALSE(PackedBatch::TakeFrom(&all).ok()) << place;
  }
}

}  // namespace
}  // namespace seqgraph
