#include "backends/onednn/layout_loops.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <vector>

namespace seqgraph::onednn {
namespace {

using Floats = std::vector<float>;
using ::testing::ElementsAre;

Floats Random(int64_t n, uint32_t seed) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<float> values(-1.0f, 1.0f);
  Floats result(n);
  for (float& v : result) v = values(rng);
  return result;
}

TEST(LayoutLoopsTest, TimeMajorAndBackIsTheIdentity) {
  const Floats in = Random(3 * 4 * 5, 4);
  Floats time_major(4 * 3 * 8, 9.0f), back(in.size());
  BatchToTimeMajor(in.data(), 3, 4, 5, 8, time_major.data());
  EXPECT_EQ(time_major[(2 * 3 + 1) * 8 + 4], in[(1 * 4 + 2) * 5 + 4]);  // t 2, b 1
  EXPECT_EQ(time_major[7], 0.0f);
  TimeToBatchMajor(time_major.data(), 3, 4, 5, 8, back.data());
  EXPECT_EQ(back, in);
}

TEST(LayoutLoopsTest, TransposeFillsThePaddingOfBothSidesWithZeros) {
  constexpr int64_t kRows = 37, kCols = 21, kPaddedRows = 48, kPaddedCols = 32;
  const Floats in = Random(kRows * kCols, 5);
  Floats out(kPaddedCols * kPaddedRows, 9.0f);
  TransposeMatrix(in.data(), kRows, kCols, kPaddedRows, kPaddedCols, out.data());
  for (int64_t c = 0; c < kPaddedCols; ++c) {
    for (int64_t r = 0; r < kPaddedRows; ++r) {
      const float want = r < kRows && c < kCols ? in[r * kCols + c] : 0.0f;
      ASSERT_EQ(out[c * kPaddedRows + r], want) << r << ", " << c;
    }
  }
}

TEST(LayoutLoopsTest, PadAndUnpadMatrix) {
  const Floats in = {1, 2, 3, 4};
  Floats padded(3 * 3, 9.0f), back(4);
  PadMatrix(in.data(), 2, 2, 3, 3, padded.data());
  EXPECT_THAT(padded, ElementsAre(1, 2, 0, 3, 4, 0, 0, 0, 0));
  UnpadMatrix(padded.data(), 3, 2, 2, back.data());
  EXPECT_EQ(back, in);
}

}  // namespace
}  // namespace seqgraph::onednn
