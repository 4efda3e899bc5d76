#include "training/row_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

#include "base/counter_random.h"

namespace seqgraph {
namespace {

using Rows = std::vector<int64_t>;

Rows Copy(absl::Span<const int64_t> order) { return {order.begin(), order.end()}; }

// From 1 to 100, by lot.
Rows Lengths(int64_t rows) {
  CounterRandom random(7, "lengths");
  Rows lengths(rows);
  for (int64_t& length : lengths) length = 1 + static_cast<int64_t>(random.NextBelow(100));
  return lengths;
}

TEST(RowOrder, WithoutStepsThatDifferItIsTheShuffle) {
  Rows expected(10);
  Shuffle(3, "shuffle/2", absl::MakeSpan(expected));
  EXPECT_EQ(Copy(RowOrder(10, 4, 3).Of(2)), expected);
  EXPECT_EQ(Copy(RowOrder(10, 4, 3, Rows(10, 24)).Of(2)), expected);  // windows
  EXPECT_TRUE(RowOrder(0, 4, 3).Of(0).empty());
}

// With steps too: each row once, another order in each epoch and for each seed, the same again.
TEST(RowOrder, TakesEachRowOnce) {
  for (const int64_t rows : {1, 3, 4, 64, 65, 259}) {
    const Rows lengths = Lengths(rows);
    RowOrder order(rows, 4, 1, lengths);
    const Rows first = Copy(order.Of(0)), second = Copy(order.Of(1));
    for (Rows sorted : {first, second}) {
      std::sort(sorted.begin(), sorted.end());
      Rows all(rows);
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(sorted, all);
    }
    EXPECT_EQ(Copy(order.Of(0)), first);
    EXPECT_EQ(Copy(RowOrder(rows, 4, 1, lengths).Of(1)), second);
    if (rows < 64) continue;
    EXPECT_NE(first, second);
    EXPECT_NE(Copy(RowOrder(rows, 4, 2, lengths).Of(0)), first);
  }
}

// Steps that the longest row of a batch takes beyond the others, of all.
double Wasted(const Rows& order, const Rows& lengths, int64_t batch) {
  double taken = 0, needed = 0;
  const auto rows = static_cast<int64_t>(order.size()) / batch * batch;
  for (int64_t begin = 0; begin < rows; begin += batch) {
    int64_t longest = 0;
    for (int64_t i = begin; i < begin + batch; ++i) {
      longest = std::max(longest, lengths[order[i]]);
      needed += static_cast<double>(lengths[order[i]]);
    }
    taken += static_cast<double>(longest * batch);
  }
  return 1 - needed / taken;
}

// Of eight lengths from 1 to 100 by lot the longest is 39 beyond their mean; of eight side by side
// in 64 that are sorted it is 5.
TEST(RowOrder, RowsOfABatchAreOfAboutTheSameLength) {
  const Rows lengths = Lengths(4000);
  EXPECT_GT(Wasted(Copy(RowOrder(4000, 8, 5).Of(0)), lengths, 8), 0.4);
  EXPECT_LT(Wasted(Copy(RowOrder(4000, 8, 5, lengths).Of(0)), lengths, 8), 0.15);
}

// No row has a place or neighbours of its own, and no place a length: over many epochs a row's mean
// batch is the middle one, a batch's mean length that of all, and a row meets many others.
TEST(RowOrder, IsAsGoodAsRandom) {
  constexpr int64_t kRows = 160, kBatch = 4;
  constexpr int kEpochs = 3000;
  Rows lengths(kRows);
  for (int64_t i = 0; i < kRows; ++i) lengths[i] = 1 + i / 8;  // twenty lengths, in order
  RowOrder order(kRows, kBatch, 11, lengths);
  std::vector<double> batches(kRows), lengths_by_batch(kRows / kBatch);
  std::set<int64_t> met;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const absl::Span<const int64_t> rows = order.Of(epoch);
    for (int64_t i = 0; i < kRows; ++i) {
      batches[rows[i]] += static_cast<double>(i / kBatch) / kEpochs;
      lengths_by_batch[i / kBatch] += static_cast<double>(lengths[rows[i]]) / (kEpochs * kBatch);
      if (rows[i] != 0) continue;
      for (int64_t k = i / kBatch * kBatch; k < (i / kBatch + 1) * kBatch; ++k) met.insert(rows[k]);
    }
  }
  // Five standard deviations of the mean of uniform numbers.
  const double batch_bound = 5 * kRows / kBatch / std::sqrt(12.0 * kEpochs);
  for (const double batch : batches) EXPECT_NEAR(batch, (kRows / kBatch - 1) / 2.0, batch_bound);
  const double length_bound = 5 * 20 / std::sqrt(12.0 * kEpochs);
  for (const double length : lengths_by_batch) EXPECT_NEAR(length, 10.5, length_bound);
  EXPECT_GE(met.size(), 24u);
}

// What is left behind whole batches is of any rows, not of the longest.
TEST(RowOrder, TheLastBatchIsOfAnyRows) {
  const Rows lengths = Lengths(103);
  double sum = 0, count = 0;
  RowOrder order(103, 8, 2, lengths);
  for (int epoch = 0; epoch < 400; ++epoch) {
    for (const int64_t row : order.Of(epoch).subspan(96)) {
      sum += static_cast<double>(lengths[row]);
      ++count;
    }
  }
  const double mean = std::accumulate(lengths.begin(), lengths.end(), 0.0) / 103;
  EXPECT_NEAR(sum / count, mean, 5 * 29 / std::sqrt(count));
}

}  // namespace
}  // namespace seqgraph
